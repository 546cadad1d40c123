using KeyEvt.Forwarder.Amqp;
using KeyEvt.Forwarder.Delivery.Link;
using KeyEvt.Forwarder.Signals;

namespace KeyEvt.Forwarder.Delivery;

/// <summary>What has the broker said since the last look, and does the link still work? A link that fails or misses a deadline is given up, and events are stored.</summary>
/// <remarks>Used by the delivery loop only. The broker library's threads reach it through <see cref="LinkInbox"/>.</remarks>
internal sealed class LinkMonitor(DeliveryContext context, DeliveryStateMachine states, LinkInbox inbox, LogRateLimiter warnings)
{
    private readonly BrokerConnectionSupervisor _links = context.Links;

    /// <summary>Takes in what the broker library has done with the last message, and looks at its deadline.</summary>
    public void TakePublishOutcome()
    {
        try
        {
            context.Publisher.TakeOutcome();
        }
        catch (LinkException e)
        {
            Lose(e.Kind, e.Message);
        }
    }

    /// <summary>Takes in confirms, returns, alarms and the end of the link.</summary>
    public void TakeEvents()
    {
        foreach (var e in inbox.TakeAll())
        {
            if (e.ConnectionNumber != _links.ConnectionNumber || _links.Link is null) continue; // a late event of a link that was given up

            switch (e.Kind)
            {
                case LinkInbox.Kind.Blocked:
                    _links.BlockedReason = e.Reason;
                    if (warnings.MayWarn(2103, e.Reason)) DeliveryLog.Blocked(context.Logger, e.Reason ?? "");

                    states.StoreFromNowOn($"the broker is blocked: {e.Reason}");
                    break;
                case LinkInbox.Kind.Unblocked:
                    _links.BlockedReason = null;
                    DeliveryLog.Unblocked(context.Logger);
                    break;
                case LinkInbox.Kind.Closed:
                    Lose(e.Failure, e.Reason ?? "closed");
                    break;
                default:
                    context.Publisher.Take(e);
                    break;
            }
        }
    }

    /// <summary>Gives the link up when a confirm is overdue.</summary>
    public void CheckConfirmDeadline()
    {
        try
        {
            if (_links.IsUsable) context.Publisher.CheckConfirmDeadline();
        }
        catch (LinkException e)
        {
            Lose(e.Kind, e.Message);
        }
    }

    /// <summary>Gives the link up; the next attempt is made after a pause.</summary>
    public void Lose(LinkFailureKind kind, string reason)
    {
        if (kind == LinkFailureKind.MessageTooLarge) context.Publisher.DropTooLarge();

        _links.Lost(kind, reason);
        states.StoreFromNowOn(reason);
    }
}
