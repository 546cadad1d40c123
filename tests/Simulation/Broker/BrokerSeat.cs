using KeyEvt.Forwarder.Amqp;
using KeyEvt.Forwarder.Config;
using KeyEvt.Simulation.Clock;
using KeyEvt.Simulation.Net;

namespace KeyEvt.Simulation.Broker;

/// <summary>How does one program open links to the broker? Refused while the broker is down, and without an answer while it is frozen or the way is cut.</summary>
/// <param name="brokerAt">The broker with this host name; null if there is none.</param>
/// <param name="connected">Called with the host name when a link has been opened.</param>
internal sealed class BrokerSeat(string member, MemberClock clock, VirtualNetwork network, Func<string, VirtualBroker?> brokerAt, Action<string> connected) : IBrokerConnector
{
    public Task<IBrokerLink> ConnectAsync(ForwarderConfig config, int connectionNumber, ILinkEvents events, CancellationToken deadline)
    {
        var host = config.Amqp.Host;
        var opened = new TaskCompletionSource<IBrokerLink>(TaskCreationOptions.RunContinuationsAsynchronously);
        deadline.Register(() => opened.TrySetException(new LinkException(LinkFailureKind.Socket, $"{config.Amqp} did not answer in time")));
        var (up, down) = (network.Up(member, host), network.Down(member, host, clock));
        up.Put(() =>
        {
            if (brokerAt(host) is not { IsUp: true } broker)
            {
                down.Put(() => opened.TrySetException(new LinkException(LinkFailureKind.Socket, $"{config.Amqp} cannot be reached: Connection refused")));
                return;
            }

            broker.Handle(() =>
            {
                if (clock.IsDead) return;

                var session = new BrokerSession(broker, member, connectionNumber, events, up, down);
                broker.Accept(session);
                var link = new VirtualLink(member, broker, session, up);
                down.Put(() =>
                {
                    connected(host);
                    if (!opened.TrySetResult(link)) link.Abandon(); // nobody waits for it any more
                });
            });
        });
        return opened.Task;
    }
}
