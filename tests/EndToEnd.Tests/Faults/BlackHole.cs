// How does a test swallow a connect, so that it neither succeeds nor fails?
using System.Net;
using System.Net.Sockets;
using KeyEvt.Servers;

namespace KeyEvt.EndToEnd.Tests.Faults;

/// <summary>A listening port whose queue is full and never emptied: Linux drops further connects without a word, as a firewall would.</summary>
internal sealed class BlackHole : IAsyncDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly List<Socket> _fillers = [];

    public int Port { get; } = FreePorts.Take();

    public static async Task<BlackHole> OpenAsync()
    {
        var hole = new BlackHole();
        hole._listener.Bind(new IPEndPoint(IPAddress.Loopback, hole.Port));
        hole._listener.Listen(0);
        while (await hole.FillAsync())
        {
        }
        return hole;
    }

    public ValueTask DisposeAsync()
    {
        foreach (var filler in _fillers)
            filler.Dispose();
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
            await filler.ConnectAsync(new IPEndPoint(IPAddress.Loopback, Port), limit.Token);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }
}
