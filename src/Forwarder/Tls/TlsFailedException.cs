namespace KeyEvt.Forwarder.Tls;

/// <summary>The TLS handshake failed, so there is no connection. The text says what is wrong and what to do.</summary>
public sealed class TlsFailedException(string text, Exception? inner = null) : IOException(text, inner);
