using System.Net.Sockets;

namespace KeyEvt.Proxy.Transport.Tls;

/// <summary>A connection whose first bytes have been read already. Reads return those bytes first, and then what is received. Owns the socket.</summary>
internal sealed class HelloStream(Socket socket, ReadOnlyMemory<byte> hello) : NetworkStream(socket, ownsSocket: true)
{
    private ReadOnlyMemory<byte> _hello = hello;

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_hello.IsEmpty) return base.ReadAsync(buffer, cancellationToken);
        var count = Math.Min(buffer.Length, _hello.Length);
        _hello[..count].CopyTo(buffer);
        _hello = count < _hello.Length ? _hello[count..] : default; // lets go of the array
        return ValueTask.FromResult(count);
    }
}
