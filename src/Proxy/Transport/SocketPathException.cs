namespace KeyEvt.Proxy.Transport;

/// <summary>A unix socket cannot be made at a path, because of what stands there. Nothing of it was touched; the text says what it is.</summary>
internal sealed class SocketPathException(string path, string why) : IOException($"cannot listen on unix:{path}: {why}");
