using System.Buffers;
using System.Security.Cryptography;
using KeyEvt.Proxy.Candidates;
using KeyEvt.Resp;

namespace KeyEvt.Proxy.Barrier.Echo;

/// <summary>
/// How does this upstream answer an unknown command? What stands around the name in its error line, in Redis 7:
/// <code>-ERR unknown command 'NAME', with args beginning with: CRLF</code>
/// Other servers use other quotes and words, so they are not assumed: <see cref="UpstreamProbe"/> or <see cref="EchoSearch"/> learns them.
/// </summary>
internal sealed class EchoShape(ReadOnlyMemory<byte> before, ReadOnlyMemory<byte> after)
{
    /// <summary>How many decimal digits a random name has: 126 bits.</summary>
    private const int NonceDigits = 38;

    public ReadOnlyMemory<byte> Before { get; } = before;

    /// <summary>With the CR LF at the end.</summary>
    public ReadOnlyMemory<byte> After { get; } = after;

    /// <summary>Whether the other shape has the same words around the name.</summary>
    public bool IsAs(EchoShape other) => Before.Span.SequenceEqual(other.Before.Span) && After.Span.SequenceEqual(other.After.Span);

    /// <summary>A new mark. Nothing but its own command can cause its line, since nobody knows the random name before it is sent.</summary>
    public EchoMark NewMark()
    {
        var name = NewName();
        return new EchoMark(CommandOf(name), LineOf(name));
    }

    /// <summary>The error line that names this command.</summary>
    public ReadOnlyMemory<byte> LineOf(ReadOnlyMemory<byte> name) => (byte[])[.. Before.Span, .. name.Span, .. After.Span];

    /// <summary>A command name that no server knows.</summary>
    internal static byte[] NewName() => [.. CommandNames.Prefix, .. RandomNumberGenerator.GetItems("0123456789"u8, NonceDigits)];

    /// <summary>The request that calls this command. It has no arguments, since an error line would repeat them.</summary>
    internal static ReadOnlyMemory<byte> CommandOf(byte[] name)
    {
        var command = new ArrayBufferWriter<byte>();
        RespWriter.WriteCommand(command, name);
        return command.WrittenMemory;
    }
}
