using System.Buffers;
using KeyEvt.Resp;

namespace KeyEvt.Proxy.Barrier.Echo;

/// <summary>
/// How does an upstream answer a client that has not logged in, if it demands the login before it looks a command up? Valkey 9 does so. An unknown command then
/// gets
/// <code>-NOAUTH Authentication required. CRLF</code>
/// without its name, so the line of a mark would never come back. But <c>HELLO</c> is accepted from anybody, and its error names an option that it does not
/// know:
/// <code>-ERR Syntax error in HELLO option 'NAME' CRLF</code>
/// A HELLO with a random option is sent behind a mark. If its line comes, the mark was refused. The HELLO changes nothing. A client that has logged in gets
/// exactly one answer to it, whatever that is (inside MULTI <c>+QUEUED</c>), and that answer is dropped.
/// </summary>
/// <param name="refusal">The whole first line.</param>
/// <param name="words">What stands around the name in the second line.</param>
internal sealed class LoginGuard(ReadOnlyMemory<byte> refusal, EchoShape words)
{
    /// <summary>What the upstream answers to each command of a client that has not logged in.</summary>
    public ReadOnlyMemory<byte> Refusal { get; } = refusal;

    /// <summary>To be sent directly behind a mark. Its line is the refusal of that mark, followed directly by the answer to the HELLO.</summary>
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
