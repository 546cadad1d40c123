using System.IO.Pipelines;

namespace KeyEvt.Proxy.Transport;

/// <summary>Zero-copy where both ends of a session can do it, and ordinary reads and writes where not.</summary>
internal static class ZeroCopyExtensions
{
    /// <summary>A read that may be served by the forwarder, where the transport knows blocks. Only what the forwarder does not take is returned.</summary>
    /// <param name="forwarder">Null: a read like any other.</param>
    public static ValueTask<ReadResult> ReadAsync(this PipeReader input, ZeroCopyForwarder? forwarder) =>
        input is BlockReader reader && forwarder is not null ? reader.ReadAsync(forwarder) : input.ReadAsync();

    /// <summary>The output as one that takes over the input's blocks, when both have the same owner. Else null, and bytes are copied.</summary>
    public static BlockWriter? TakesBlocksOf(this PipeWriter output, PipeReader input) =>
        output is BlockWriter writer && input is BlockReader reader && ReferenceEquals(reader.Owner, writer.Owner) ? writer : null;
}
