using System.Net.Sockets;
using KeyEvt.Forwarder.Topology;
using KeyEvt.Proxy.Transport;
using KeyEvt.Resp;

namespace KeyEvt.Proxy.KeyspaceFanIn;

/// <summary>
/// One connection to another master that is subscribed to the client's names. It is made again whenever it is lost. It speaks RESP2 whatever the client speaks,
/// since a message differs only in its first byte. What is said on it: <see cref="MasterConversation"/>.
/// </summary>
internal sealed class MasterLink
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(2);

    private readonly FanInStream _stream;
    private readonly FanInHub _services;
    private readonly TransportAddress _address;
    private readonly CancellationTokenSource _stop = new();

    /// <summary>Set by the loop, read by any thread that wakes it.</summary>
    private volatile MasterConversation? _conversation;

    /// <summary>Written by the loop alone, by Volatile or Interlocked; read by Volatile.</summary>
    private long _inForce = -1;

    private MasterLink(TopologyNode node, FanInStream stream, FanInHub services) =>
        (Node, _address, _stream, _services) = (node, TransportAddress.Of(node.Address), stream, services);

    public TopologyNode Node { get; }

    /// <summary>The loop. It never faults.</summary>
    public Task Ended { get; private set; } = Task.CompletedTask;

    /// <summary>The version of the names for which the node has answered; -1: for none.</summary>
    public long InForce => Volatile.Read(ref _inForce);

    public static MasterLink Start(TopologyNode node, FanInStream stream, FanInHub services)
    {
        var link = new MasterLink(node, stream, services);
        link.Ended = Task.Run(link.RunAsync); // in the pool, since the caller may hold a lock
        return link;
    }

    /// <summary>Called when the names have changed.</summary>
    public void Wake() => _conversation?.Wake();

    public void Close() => _stop.Cancel();

    private async Task RunAsync()
    {
        var pause = FirstPause;
        while (true)
        {
            try
            {
                await FollowAsync().ConfigureAwait(false);
            }
            catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or RespProtocolException or InvalidOperationException)
            {
                if (_stop.IsCancellationRequested) break;
                FanInLog.MergeLinkLost(_services.Logger, _address, e.Message);
            }
            catch (Exception e)
            {
                FanInLog.MergeLinkFault(_services.Logger, _address, e);
                _stream.Fault(); // the bug would occur again, and a session that hears only some of the masters must not look complete
                break;
            }

            if (Interlocked.Exchange(ref _inForce, -1) >= 0)
            {
                pause = FirstPause;
                _services.Lost(_address);
            }

            try
            {
                await Task.Delay(pause, _services.Time, _stop.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                break;
            }

            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
        }
    }

    /// <summary>Connects and talks to the master until the connection is lost.</summary>
    /// <exception cref="IOException">The connection is lost. Other exceptions may say the same, see <see cref="RunAsync"/>.</exception>
    private async Task FollowAsync()
    {
        await using var connection = await ConnectAsync().ConfigureAwait(false);
        await using var aborting = _stop.Token.Register(connection.Abort).ConfigureAwait(false);
        var conversation = new MasterConversation(connection, Node, _stream, _services, Answered);
        _services.CountConnections(1);
        try
        {
            _conversation = conversation;
            await conversation.RunAsync().ConfigureAwait(false);
        }
        finally
        {
            _conversation = null;
            _services.CountConnections(-1);
        }
    }

    private async Task<IConnection> ConnectAsync()
    {
        using var deadline = new CancellationTokenSource(_services.ConnectTimeout, _services.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, _stop.Token);
        return await _services.Transport.ConnectAsync(_address, either.Token).ConfigureAwait(false);
    }

    /// <summary>The node has put this version of the names in force.</summary>
    private void Answered(long version)
    {
        Volatile.Write(ref _inForce, version);
        _stream.Progress();
    }
}
