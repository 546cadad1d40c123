namespace KeyEvt.Forwarder.Tls;

/// <summary>TLS with the other side did not come about, so there is no connection at all. The text says what is wrong and what to do.</summary>
public sealed class TlsFailedException(string text, Exception? inner = null) : IOException(text, inner);
