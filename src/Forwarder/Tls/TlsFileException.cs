namespace KeyEvt.Forwarder.Tls;

/// <summary>A file of certificates or keys cannot be used. The text begins with the option that names it, and never shows what is in it.</summary>
public sealed class TlsFileException(string text, Exception? inner = null) : IOException(text, inner);
