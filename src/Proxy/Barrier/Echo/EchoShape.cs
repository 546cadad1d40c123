using System.Buffers;
using System.Security.Cryptography;
using KeyEvt.Proxy.Candidates;
using KeyEvt.Resp;

namespace KeyEvt.Proxy.Barrier.Echo;

/// <summary>
/// How does this upstream answer an unknown command? What stands around the name in its error line:
/// <code>-ERR unknown command 'NAME', with args beginning with: CRLF</code>
/// in Redis 7, other quotes and words elsewhere; learnt by <see cref="UpstreamProbe"/> or <see cref="EchoSearch"/>, not assumed.
/// </summary>
internal sealed class EchoShape(ReadOnlyMemory<byte> before, ReadOnlyMemory<byte> after)
{
    /// <summary>Decimal digits of a nonce: 126 bits.</summary>
    private const int NonceDigits = 38;

    public ReadOnlyMemory<byte> Before { get; } = before;

    /// <summary>With the CR LF.</summary>
    public ReadOnlyMemory<byte> After { get; } = after;

    /// <summary>The same words stand around the name.</summary>
    public bool IsAs(EchoShape other) => Before.Span.SequenceEqual(other.Before.Span) && After.Span.SequenceEqual(other.After.Span);

    /// <summary>A line that nothing but this very mark can cause: nobody knows its nonce before it is sent.</summary>
    public EchoMark NewMark()
    {
        var name = NewName();
        return new EchoMark(CommandOf(name), LineOf(name));
    }

    /// <summary>The error line that names it.</summary>
    public ReadOnlyMemory<byte> LineOf(ReadOnlyMemory<byte> name) => (byte[])[.. Before.Span, .. name.Span, .. After.Span];

    /// <summary>A command name that no server knows.</summary>
    internal static byte[] NewName() => [.. CommandNames.Prefix, .. RandomNumberGenerator.GetItems("0123456789"u8, NonceDigits)];

    /// <summary>The request that calls it, without arguments: error lines echo those.</summary>
    internal static ReadOnlyMemory<byte> CommandOf(byte[] name)
    {
        var command = new ArrayBufferWriter<byte>();
        RespWriter.WriteCommand(command, name);
        return command.WrittenMemory;
    }
}
