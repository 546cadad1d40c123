using System.Buffers;
using KeyEvt.Forwarder.Text;
using KeyEvt.Resp;

namespace KeyEvt.Proxy.Text;

/// <summary>How are replies made? As whole byte strings, in shapes that RESP2 and RESP3 share.</summary>
internal static class Replies
{
    public static ReadOnlyMemory<byte> Ok { get; } = Simple("OK");

    public static ReadOnlyMemory<byte> Simple(string text)
    {
        var reply = new ArrayBufferWriter<byte>();
        RespWriter.SimpleString(reply, CleanText.Line(text));
        return reply.WrittenMemory;
    }

    /// <param name="text">Its code first; whatever it holds, it stays one line.</param>
    public static ReadOnlyMemory<byte> Error(string text)
    {
        var reply = new ArrayBufferWriter<byte>();
        RespWriter.Error(reply, CleanText.Line(text));
        return reply.WrittenMemory;
    }

    public static ReadOnlyMemory<byte> Bulk(ReadOnlySpan<byte> bytes)
    {
        var reply = new ArrayBufferWriter<byte>();
        RespWriter.Bulk(reply, bytes);
        return reply.WrittenMemory;
    }

    public static ReadOnlyMemory<byte> Bulk(string text)
    {
        var reply = new ArrayBufferWriter<byte>();
        RespWriter.Bulk(reply, text);
        return reply.WrittenMemory;
    }

    /// <param name="elements">Whole replies each.</param>
    public static ReadOnlyMemory<byte> Array(IReadOnlyCollection<ReadOnlyMemory<byte>> elements)
    {
        var reply = new ArrayBufferWriter<byte>();
        RespWriter.ArrayHeader(reply, elements.Count);
        foreach (var element in elements) reply.Write(element.Span);
        return reply.WrittenMemory;
    }
}
