namespace KeyEvt.Forwarder.Tls;

/// <summary>A file of certificates or keys cannot be used. The text begins with the option that names the file, and never shows the file's contents.</summary>
public sealed class TlsFileException(string text, Exception? inner = null) : IOException(text, inner);
