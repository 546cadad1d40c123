using Microsoft.Extensions.Logging;

namespace KeyEvt.Proxy.Transport.Tls;

/// <summary>What is logged about the TLS handshakes of clients? Event ids 1007, 1008, 1012.</summary>
internal static partial class TlsLog
{
    [LoggerMessage(1007, LogLevel.Warning, "A client of {Address} ({Client}) did not get through the TLS handshake: {Reason}; more of these within 10 seconds are logged at level debug")]
    public static partial void HandshakeRefused(ILogger logger, string address, string client, string reason);

    [LoggerMessage(1008, LogLevel.Debug, "A client of {Address} ({Client}) did not get through the TLS handshake: {Reason}")]
    public static partial void HandshakeRefusedToo(ILogger logger, string address, string client, string reason);

    [LoggerMessage(1012, LogLevel.Error, "The TLS handshake of a client of {Address} ({Client}) failed by a fault of the proxy")]
    public static partial void HandshakeFault(ILogger logger, string address, string client, Exception exception);
}
