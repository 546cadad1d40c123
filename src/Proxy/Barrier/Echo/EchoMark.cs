namespace KeyEvt.Proxy.Barrier.Echo;

/// <summary>A mark of one place in a session's two streams: the command that goes upstream, and the line that comes back in its place.</summary>
internal sealed record EchoMark(ReadOnlyMemory<byte> Command, ReadOnlyMemory<byte> Line);
