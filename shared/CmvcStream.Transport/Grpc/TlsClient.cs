using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace CmvcStream.Transport.Grpc;

/// <summary>The sender's side of TLS, made before the first message, so that what is wrong with it can be told as it is.</summary>
internal static class TlsClient
{
    /// <summary>A handshake is about 1 kB with a certificate of our own and 4 kB with a chain: half a minute at 1 kbit/s.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    /// <summary>Makes a connection private; it owns the given one from here on.</summary>
    /// <param name="connection">Connected.</param>
    /// <param name="to">The receiver: its host's name is what the certificate must be for.</param>
    /// <param name="trust">The only certificate to accept; null: whatever the system trusts for that name.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="TransportException">The receiver is not who it should be, or does not speak TLS and HTTP/2.</exception>
    public static async Task<SslStream> ConnectAsync(System.IO.Stream connection, Uri to, CertificateFingerprint? trust, CancellationToken cancellationToken)
    {
        string? distrust = null;
        var stream = new SslStream(connection);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Patience);
        try
        {
            await stream.AuthenticateAsClientAsync(new()
            {
                TargetHost = to.DnsSafeHost,
                ApplicationProtocols = [SslApplicationProtocol.Http2],
                RemoteCertificateValidationCallback = (_, certificate, chain, errors) => (distrust = WhyNot(to, trust, certificate, chain, errors)) is null,
            }, patience.Token);
            return stream.NegotiatedApplicationProtocol == SslApplicationProtocol.Http2
                ? stream
                : throw new TransportException(TransportError.Protocol, $"what answers at {to} is no CmvcStream receiver (TLS, but no HTTP/2)");
        }
        catch (Exception e)
        {
            await stream.DisposeAsync();
            if (e is OperationCanceledException && !cancellationToken.IsCancellationRequested)
                throw new TransportException(TransportError.Unreachable, $"{to} did not finish the TLS handshake within {Patience.TotalSeconds:0} s", e);
            if (e is not (AuthenticationException or IOException))
                throw;
            throw distrust is null
                ? new(TransportError.Broken, $"no TLS with {to}: {e.Message} Does the receiver listen on https:? Else send to http:", e)
                : new TransportException(TransportError.Untrusted, distrust, e);
        }
    }

    private static string? WhyNot(Uri to, CertificateFingerprint? trust, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (certificate is null)
            return $"the receiver at {to} has no certificate";
        var shown = CertificateFingerprint.Of(certificate);
        if (trust is not null)
            return shown == trust ? null : $"the receiver at {to} has another certificate than --trust says: {shown}. If the receiver says the same of itself, give that to --trust; if not, somebody is in between";
        if (errors == SslPolicyErrors.None)
            return null;
        var why = (chain?.ChainStatus ?? []).Select(s => s.StatusInformation.Trim().TrimEnd('.'));
        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch))
            why = why.Append($"it is not for the name {to.DnsSafeHost}");
        return $"the certificate of the receiver at {to} is not trusted here ({string.Join("; ", why.Distinct())}). If the receiver says at its start that it is its own, send with --trust {shown}";
    }
}
