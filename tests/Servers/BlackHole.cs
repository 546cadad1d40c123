// How does a test swallow a connect, so that it neither succeeds nor fails?
using System.Net;
using System.Net.Sockets;

namespace KeyEvt.Servers;

/// <summary>A listening port whose queue is full and never emptied: Linux drops further connects without a word, as a firewall would.</summary>
public sealed class BlackHole : IAsyncDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly List<Socket> _fillers = [];
    private readonly IPAddress _address;

    private BlackHole(IPAddress address) => _address = address;

    public int Port { get; } = FreePorts.Take();

    /// <param name="address">One of this machine's; 127.0.0.1 if none is given.</param>
    public static async Task<BlackHole> OpenAsync(IPAddress? address = null)
    {
        var hole = new BlackHole(address ?? IPAddress.Loopback);
        hole._listener.Bind(new IPEndPoint(hole._address, hole.Port));
        hole._listener.Listen(0);
        while (await hole.FillAsync().ConfigureAwait(false))
        {
        }
        return hole;
    }

    public ValueTask DisposeAsync()
    {
        foreach (var filler in _fillers) filler.Dispose();
        _listener.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>False when a connect hangs: the queue is full.</summary>
    private async Task<bool> FillAsync()
    {
        var filler = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        _fillers.Add(filler);
        using var limit = new CancellationTokenSource(TimeSpan.FromMilliseconds(500));
        try
        {
            await filler.ConnectAsync(new IPEndPoint(_address, Port), limit.Token).ConfigureAwait(false);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }
}
