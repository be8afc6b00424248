using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace EndToEnd.Tests.Session;

/// <summary>A root, a certificate between, and a receiver's for 127.0.0.1: valid for a day, as files of a folder.</summary>
internal sealed class Certificates
{
    private readonly string _folder;

    public Certificates(string folder)
    {
        _folder = folder;
        using ECDsa rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP256), betweenKey = ECDsa.Create(ECCurve.NamedCurves.nistP256), key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var (from, until) = (DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        using var root = Request("CN=test root", rootKey, authority: true).CreateSelfSigned(from, until);
        using var betweenAlone = Request("CN=test between", betweenKey, authority: true).Create(root, from, until, [1]);
        using var between = betweenAlone.CopyWithPrivateKey(betweenKey);
        var request = Request("CN=test receiver", key, authority: false);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var own = request.Create(between, from, until, [2]);
        using var withKey = own.CopyWithPrivateKey(key);
        Write("root.pem", root.ExportCertificatePem());
        Write("chain.pem", own.ExportCertificatePem() + "\n" + between.ExportCertificatePem());
        Write("own.pem", own.ExportCertificatePem());
        Write("key.pem", key.ExportPkcs8PrivateKeyPem());
        Write("other.pem", rootKey.ExportPkcs8PrivateKeyPem());
        Write("secret.pem", key.ExportEncryptedPkcs8PrivateKeyPem("secret", new(PbeEncryptionAlgorithm.Aes128Cbc, HashAlgorithmName.SHA256, 1)));
        Write("damaged.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
        Write("notes.txt", "no certificate");
        File.WriteAllBytes(PathOf("own.pfx"), withKey.Export(X509ContentType.Pfx));
    }

    public string PathOf(string name) => Path.Combine(_folder, name);

    private static CertificateRequest Request(string name, ECDsa key, bool authority)
    {
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(authority, false, 0, critical: true));
        return request;
    }

    private void Write(string name, string text) => File.WriteAllText(PathOf(name), text);
}
