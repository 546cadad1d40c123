using System.Buffers;
using KeyEvt.Resp;

namespace KeyEvt.Proxy.Barrier.Echo;

/// <summary>
/// How does an upstream answer a client that has not logged in, when it asks who calls before it looks a command up? Valkey 9 does: an unknown command then gets
/// <code>-NOAUTH Authentication required. CRLF</code>
/// without its name, and so a mark would never come back. <c>HELLO</c> is taken from anybody, and names an option that it does not know:
/// <code>-ERR Syntax error in HELLO option 'NAME' CRLF</code>
/// Behind a mark, such a HELLO tells at once that the mark was refused. It changes nothing. A client that has logged in gets one answer to it, whatever that is (inside MULTI
/// <c>+QUEUED</c>); it is dropped.
/// </summary>
/// <param name="refusal">The first line, whole.</param>
/// <param name="words">Around the name in the second.</param>
internal sealed class LoginGuard(ReadOnlyMemory<byte> refusal, EchoShape words)
{
    /// <summary>What the upstream says to each command of a client without login.</summary>
    public ReadOnlyMemory<byte> Refusal { get; } = refusal;

    /// <summary>To be sent directly behind a mark. Its line: the refusal of that mark, and directly behind it the answer to the HELLO.</summary>
    public EchoMark NewMark()
    {
        var name = EchoShape.NewName();
        return new EchoMark(CommandOf(name), (byte[])[.. Refusal.Span, .. words.Before.Span, .. name, .. words.After.Span]);
    }

    internal static ReadOnlyMemory<byte> CommandOf(byte[] name)
    {
        var command = new ArrayBufferWriter<byte>();
        RespWriter.WriteCommand(command, "HELLO"u8.ToArray(), "2"u8.ToArray(), name);
        return command.WrittenMemory;
    }
}
