using System.IO.Pipelines;
using System.Net.Sockets;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Simulation.Clock;

namespace KeyEvt.Simulation.Net;

/// <summary>How does one program open connections to nodes? As over TCP: refused while the node is down, and without an answer while the way is cut.</summary>
/// <param name="serverAt">Null if there is no such server.</param>
internal sealed class VirtualTransport(string member, MemberClock clock, VirtualNetwork network, Func<string, IVirtualServer?> serverAt) : IRedisTransport
{
    public ValueTask<IDuplexPipe> ConnectAsync(RedisAddress address, CancellationToken cancellationToken)
    {
        var opened = new TaskCompletionSource<IDuplexPipe>(TaskCreationOptions.RunContinuationsAsynchronously);
        cancellationToken.Register(() => opened.TrySetCanceled(cancellationToken));
        var (up, down) = (network.Up(member, address.Host), network.Down(member, address.Host, clock));
        up.Put(() =>
        {
            if (serverAt(address.Host) is not { IsUp: true } server)
            {
                down.Put(() => opened.TrySetException(new SocketException((int)SocketError.ConnectionRefused)));
                return;
            }

            if (clock.IsDead) return;

            var connection = new VirtualConnection(up, down);
            server.Accept(connection, member);
            down.Put(() =>
            {
                if (!opened.TrySetResult(connection)) connection.Dispose(); // nobody waits for it any more
            });
        });
        return new ValueTask<IDuplexPipe>(opened.Task);
    }
}
