namespace KeyEvt.Proxy.Transport;

/// <summary>A unix socket cannot be made at a path, because of what exists there. What exists was not touched; the message says what it is.</summary>
internal sealed class SocketPathException(string path, string why) : IOException($"cannot listen on unix:{path}: {why}");
