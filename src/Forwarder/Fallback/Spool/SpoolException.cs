using KeyEvt.Forwarder.Text;

namespace KeyEvt.Forwarder.Fallback.Spool;

/// <summary>Why can this folder not be the spool? The text is one line for people, and names the option and the file.</summary>
public sealed class SpoolException(string folder, string reason, Exception? inner = null) : IOException(CleanText.Line($"--spool {folder}: {reason}"), inner);
