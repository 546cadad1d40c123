using System.Net;
using KeyEvt.Forwarder.Signals;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Proxy.Transport.Tls;

/// <summary>
/// Which handshakes failed at one address? Logs them: one warning in ten seconds, so that a port scan does not fill the log, and all others at level debug.
/// Thread safe.
/// </summary>
internal sealed class RefusedHandshakes(string address, TimeProvider time, ILogger logger)
{
    private readonly RateLimiter _warnings = new(time, TimeSpan.FromSeconds(10));

    /// <param name="client">Null: the client had gone before its address could be read. That is never a warning.</param>
    public void Report(IPEndPoint? client, string why)
    {
        if (client is not null && _warnings.TryTake()) TlsLog.HandshakeRefused(logger, address, Name(client), why);
        else if (logger.IsEnabled(LogLevel.Debug)) TlsLog.HandshakeRefusedToo(logger, address, Name(client), why);
    }

    public static string Name(IPEndPoint? client) => client?.ToString() ?? "a client that had gone already";
}
