using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Outbox;

namespace KeyEvt.Forwarder.Delivery;

/// <summary>How does delivery end within its deadline? Every event is confirmed or stored, or counted as left behind.</summary>
/// <remarks>
/// In the first half of the time events may still be published and confirmed. In the second half everything goes into the storage. All fields are written by the delivery
/// loop only.
/// </remarks>
internal sealed class DeliveryShutdown(DeliveryContext context, DeliveryStateMachine states, LinkCommands commands)
{
    private long _storeAllFrom; // a timestamp: half of the time is over
    private long _endBy;        // a timestamp: all of it is over
    private long _leftBehind;   // feeds and reports read it by Volatile.Read

    public bool IsStopping { get; private set; }

    public bool HasEnded { get; private set; }

    /// <summary>Events that could not be placed anywhere before the end.</summary>
    public long LeftBehind => Volatile.Read(ref _leftBehind);

    public void Begin(TimeSpan deadline)
    {
        IsStopping = true;
        _storeAllFrom = context.Clock.After(deadline / 2);
        _endBy = context.Clock.After(deadline);
    }

    /// <summary>Ends when everything has its place, and at the latest when the time is over. Does nothing before <see cref="Begin"/>.</summary>
    public async ValueTask StepAsync()
    {
        if (!IsStopping) return;

        var (publisher, stores, links) = (context.Publisher, context.Stores, context.Links);
        var isSettled = publisher.Unconfirmed == 0 && !stores.IsBusy && !stores.HasAppendPending && !stores.HasRemovable(part: true);
        if (isSettled && (context.Memory.IsEmpty || stores.IsStandby))
        {
            await EndAsync().ConfigureAwait(false);
            return;
        }

        var isHalfOver = context.Clock.IsPast(_storeAllFrom);
        var cannotPublish = !links.IsUsable || publisher.MissingKey is not null || isHalfOver;
        if (states.State is DeliveryState.Live or DeliveryState.Stopped && cannotPublish && (context.IsStorageOn || !links.IsUsable))
        {
            states.ForgetInFlight();
            states.Change(DeliveryState.Storing, "the program ends");
        }

        if (isHalfOver && publisher.Unconfirmed != 0) states.ForgetInFlight();

        if (context.Clock.IsPast(_endBy)) await EndAsync().ConfigureAwait(false);
    }

    private async ValueTask EndAsync()
    {
        context.Memory.UnclaimAll();
        while (context.Memory.TryClaim(out var entry))
        {
            // Counted before it is settled: who sees an empty log must also see that events were left behind, see EventSink.IsSettled.
            Volatile.Write(ref _leftBehind, _leftBehind + 1);
            context.Memory.Settle(entry.Sequence, Settlement.Shutdown);
        }

        if (_leftBehind > 0) DeliveryLog.LeftBehind(context.Logger, _leftBehind);

        var left = context.Clock.Until(_endBy);
        await commands.EndAsync(left < context.Options.CloseDeadline ? left : context.Options.CloseDeadline).ConfigureAwait(false);
        HasEnded = true;
    }
}
