using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace CmvcStream.Transport;

/// <summary>Names one certificate by the SHA-256 of its DER bytes, as <c>openssl x509 -fingerprint -sha256</c> does.</summary>
public sealed record CertificateFingerprint
{
    private const string Prefix = "sha256:";

    private CertificateFingerprint(string hex) => Hex = hex;

    /// <summary>64 lower-case hexadecimal digits.</summary>
    public string Hex { get; }

    public static CertificateFingerprint Of(X509Certificate certificate)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        return new(Convert.ToHexStringLower(SHA256.HashData(certificate.GetRawCertData())));
    }

    /// <summary>Reads <c>sha256:HEX</c> (colons between the digits are allowed), or the fingerprint of a certificate in a PEM or DER file.</summary>
    /// <exception cref="FormatException">No fingerprint, or a file that cannot be read or holds no certificate.</exception>
    public static CertificateFingerprint Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase))
        {
            var hex = text[Prefix.Length..].Replace(":", "", StringComparison.Ordinal).ToLowerInvariant();
            return hex.Length == 2 * SHA256.HashSizeInBytes && hex.All(char.IsAsciiHexDigit)
                ? new(hex)
                : throw new FormatException($"'{text}' is no fingerprint: 64 hexadecimal digits after sha256:");
        }

        if (!File.Exists(text))
            throw new FormatException($"'{text}': there is no such file; give the receiver's certificate, or sha256: and its fingerprint");
        try
        {
            using var certificate = X509CertificateLoader.LoadCertificateFromFile(text);
            return Of(certificate);
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException)
        {
            throw new FormatException($"{text}: no certificate can be read from it: {e.Message}", e);
        }
    }

    /// <summary>As <see cref="Parse"/> reads it.</summary>
    public override string ToString() => Prefix + Hex;
}
