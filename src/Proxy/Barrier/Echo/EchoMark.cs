namespace KeyEvt.Proxy.Barrier.Echo;

/// <summary>One place in a session's two streams: the command that goes up, and the line that comes back in its place.</summary>
internal sealed record EchoMark(ReadOnlyMemory<byte> Command, ReadOnlyMemory<byte> Line);
