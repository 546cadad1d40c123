using KeyEvt.Forwarder.Amqp;
using KeyEvt.Forwarder.Config;

namespace KeyEvt.Forwarder.Delivery.Link;

/// <summary>Which connect command gets which outcome? It gets that of an attempt with the configuration it asked for, and never that of an older attempt that ends just then.</summary>
/// <remarks>Used by the delivery loop only.</remarks>
internal sealed class ConnectWaiters
{
    private readonly List<Waiter> _waiters = [];

    /// <param name="Asked">The configuration at the moment of the command.</param>
    private readonly record struct Waiter(ForwarderConfig Asked, TaskCompletionSource<ConnectResult> Outcome);

    public bool AreThere => _waiters.Count > 0;

    public void Add(ForwarderConfig asked, TaskCompletionSource<ConnectResult> outcome) => _waiters.Add(new Waiter(asked, outcome));

    /// <summary>The configuration in force. Commands that asked for another one fail: no attempt will be made for them any more.</summary>
    public void ConfigIs(ForwarderConfig now) => End(
        waiter => !waiter.Asked.HasLinkOf(now),
        new ConnectResult((int)LinkFailureKind.Connection, $"another command has changed the connection meanwhile; it is to {now.Amqp} now"));

    /// <summary>Gives the outcome to the commands that asked for this configuration.</summary>
    /// <param name="used">The configuration of the attempt.</param>
    public void AttemptEnded(ForwarderConfig used, ConnectResult outcome) => End(waiter => waiter.Asked.HasLinkOf(used), outcome);

    /// <summary>No attempt will be made: all commands fail.</summary>
    public void GiveUp(string why) => End(static _ => true, new ConnectResult((int)LinkFailureKind.Connection, why));

    private void End(Predicate<Waiter> concerns, ConnectResult outcome) => _waiters.RemoveAll(waiter =>
    {
        var ends = concerns(waiter);
        if (ends) waiter.Outcome.SetResult(outcome);
        return ends;
    });
}
