using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace CmvcStream.Transport;

/// <summary>What a receiver shows to senders over TLS: a certificate with its private key, and the certificates between it and a root.</summary>
public sealed class ServerCertificate : IDisposable
{
    private ServerCertificate(X509Certificate2 certificate, X509Certificate2Collection chain) => (Certificate, Chain) = (certificate, chain);

    /// <summary>With its private key.</summary>
    public X509Certificate2 Certificate { get; }

    /// <summary>What else the file holds, for senders that do not know it.</summary>
    public X509Certificate2Collection Chain { get; }

    /// <summary>Reads a certificate.</summary>
    /// <param name="certificateFile">PEM (the receiver's own certificate first), or PFX without a password.</param>
    /// <param name="keyFile">PEM of the private key; null: it is in the first file.</param>
    /// <exception cref="FormatException">A file cannot be read or does not fit; the message says which, and what to do.</exception>
    public static ServerCertificate Load(string certificateFile, string? keyFile)
    {
        var pem = Read("--certificate", certificateFile);
        var key = keyFile is null ? pem : Read("--key", keyFile);
        if (!pem.Contains("-----BEGIN", StringComparison.Ordinal))
            return LoadPfx(certificateFile, keyFile);
        if (!pem.Contains("-----BEGIN CERTIFICATE-----", StringComparison.Ordinal))
            throw new FormatException($"--certificate {certificateFile}: there is no certificate in it");
        if (!key.Contains("PRIVATE KEY-----", StringComparison.Ordinal))
            throw new FormatException(keyFile is null
                ? $"--certificate {certificateFile}: there is no private key in it; name the key's file with --key"
                : $"--key {keyFile}: there is no private key in it");
        if (key.Contains("-----BEGIN ENCRYPTED", StringComparison.Ordinal))
            throw new FormatException($"--key {keyFile ?? certificateFile}: the key has a password; write one without: openssl pkey -in FILE -out NEW");
        try
        {
            var chain = new X509Certificate2Collection();
            chain.ImportFromPem(pem);
            var certificate = X509Certificate2.CreateFromPem(pem, key);
            chain.RemoveAt(0);
            return new(certificate, chain);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new FormatException($"--certificate {certificateFile}: the key in {keyFile ?? certificateFile} does not belong to it, or is damaged: {e.Message}", e);
        }
    }

    /// <summary>A certificate of its own, for senders that are told its fingerprint: as small as it can be, as it crosses the link.</summary>
    public static ServerCertificate SelfSigned()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var now = DateTimeOffset.UtcNow;
        return new(new CertificateRequest("CN=cmvc", key, HashAlgorithmName.SHA256).CreateSelfSigned(now.AddDays(-1), now.AddYears(10)), []);
    }

    public void Dispose()
    {
        Certificate.Dispose();
        foreach (var certificate in Chain)
            certificate.Dispose();
    }

    private static ServerCertificate LoadPfx(string file, string? keyFile)
    {
        if (keyFile is not null)
            throw new FormatException($"--certificate {file}: no PEM; --key goes with PEM only, a PFX holds its key itself");
        X509Certificate2Collection all;
        try
        {
            all = X509CertificateLoader.LoadPkcs12CollectionFromFile(file, password: null);
        }
        catch (CryptographicException e)
        {
            throw new FormatException($"--certificate {file}: neither PEM nor a PFX without a password: {e.Message}", e);
        }

        var own = all.FirstOrDefault(c => c.HasPrivateKey) ?? throw new FormatException($"--certificate {file}: there is no private key in it");
        all.Remove(own);
        return new(own, all);
    }

    private static string Read(string flag, string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new FormatException($"{flag} {file}: {e.Message}", e);
        }
    }
}
