using System.IO.Pipelines;

namespace KeyEvt.Proxy.Transport;

/// <summary>Zero-copy where both ends of a session can do it, otherwise ordinary reads and writes.</summary>
internal static class ZeroCopyExtensions
{
    /// <summary>A read that offers its bytes to the forwarder first, if the transport has blocks. It returns only what the forwarder does not take.</summary>
    /// <param name="forwarder">Null: an ordinary read.</param>
    public static ValueTask<ReadResult> ReadAsync(this PipeReader input, ZeroCopyForwarder? forwarder) =>
        input is BlockReader reader && forwarder is not null ? reader.ReadAsync(forwarder) : input.ReadAsync();

    /// <summary>The output as one that takes over the input's blocks, if both have the same owner. Null: bytes have to be copied.</summary>
    public static BlockWriter? TakesBlocksOf(this PipeWriter output, PipeReader input) =>
        output is BlockWriter writer && input is BlockReader reader && ReferenceEquals(reader.Owner, writer.Owner) ? writer : null;
}
