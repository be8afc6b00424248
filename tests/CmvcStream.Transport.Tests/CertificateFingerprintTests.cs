using System.Security.Cryptography;
using Xunit;

namespace CmvcStream.Transport.Tests;

public class CertificateFingerprintTests
{
    [Fact]
    public void Parse_WhatOpensslPrints_IsTheSame()
    {
        using var certificate = ServerCertificate.SelfSigned();
        var fingerprint = CertificateFingerprint.Of(certificate.Certificate);

        Assert.Equal(certificate.Certificate.GetCertHashString(HashAlgorithmName.SHA256).ToLowerInvariant(), fingerprint.Hex);
        Assert.Equal(fingerprint, CertificateFingerprint.Parse(fingerprint.ToString()));
        Assert.Equal(fingerprint, CertificateFingerprint.Parse("SHA256:" + string.Join(':', Convert.FromHexString(fingerprint.Hex).Select(b => b.ToString("X2", null)))));
    }

    [Theory]
    [InlineData("sha256:")]
    [InlineData("sha256:xyz")]
    [InlineData("sha256:000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("sha256:g000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("")]
    [InlineData(".")]
    public void Parse_Other_IsRefused(string text) => Assert.Throws<FormatException>(() => CertificateFingerprint.Parse(text));
}
