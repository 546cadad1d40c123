using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Delivery.Link;
using KeyEvt.Forwarder.Delivery.Publishing;
using KeyEvt.Forwarder.Delivery.Stores;
using KeyEvt.Forwarder.Outbox;

namespace KeyEvt.Forwarder.Delivery;

/// <summary>Which way do events go, and when does that change? The states are those of <see cref="DeliveryState"/>.</summary>
/// <remarks>
/// <para>
/// Events are published from one log at a time: from memory while Live, from the stores while Draining. Newer events wait behind older ones, which keeps the order of each node.
/// </para>
/// <para>All fields are written by the delivery loop only.</para>
/// </remarks>
internal sealed class DeliveryStateMachine(DeliveryContext context)
{
    private readonly EventLog _memory = context.Memory;
    private readonly BrokerConnectionSupervisor _links = context.Links;
    private readonly StoreSet _stores = context.Stores;
    private readonly Publisher _publisher = context.Publisher;
    private volatile DeliveryState _state; // volatile: feeds and commands read it
    private long _changes;                 // reports read it by Volatile.Read
    private long _waitingSince;            // Live: since this timestamp events have waited for a link; 0: none wait

    public DeliveryState State => _state;

    public long Changes => Volatile.Read(ref _changes);

    public bool IsMemoryHalfUsed => _memory.Bytes > context.Options.BufferBytes / 2;

    /// <summary>Half of the memory is used. If the storage can take events, they go there before memory is full and the oldest have to be dropped.</summary>
    private bool IsMemoryFilling => IsMemoryHalfUsed && context.IsStorageOn && _stores.MayAppend();

    /// <summary>Does the next piece of work in the present state. True when there is more to do at once.</summary>
    /// <param name="isStopping">The program ends: events are stored, and no longer drained.</param>
    /// <param name="mayPublish">False: the link is about to be closed, and nothing more is sent on it.</param>
    /// <param name="isConnectAwaited">A connect command waits for a link, so one is opened even without an event.</param>
    /// <exception cref="Amqp.LinkException">The link cannot be used any more.</exception>
    public bool Step(bool isStopping, bool mayPublish, bool isConnectAwaited)
    {
        // A standby must know whether it could deliver, so there is a link as soon as there may be something to deliver.
        if (_state != DeliveryState.Stopped && !isStopping && context.Config.NeedsLink)
        {
            _links.Want(context.Config);
        }

        return StepOf(isStopping, mayPublish, isConnectAwaited);
    }

    private bool StepOf(bool isStopping, bool mayPublish, bool isConnectAwaited) => _state switch
    {
        DeliveryState.Live => Live(isStopping, mayPublish, isConnectAwaited),
        DeliveryState.Storing => Storing(isStopping),
        DeliveryState.Draining => Draining(isStopping, mayPublish),
        _ => false,
    };

    public void Change(DeliveryState next, string reason)
    {
        DeliveryLog.StateChanged(context.Logger, _state, next, reason);
        _state = next;
        _waitingSince = 0;
        Volatile.Write(ref _changes, _changes + 1);
    }

    /// <summary>The broker takes nothing at the moment: unconfirmed events are to be sent again, and until further notice events are stored.</summary>
    public void StoreFromNowOn(string reason)
    {
        ForgetInFlight();
        if (_state == DeliveryState.Draining || (_state == DeliveryState.Live && _stores.IsHolder)) Change(DeliveryState.Storing, reason);
    }

    /// <summary>This member of the group delivers from now on.</summary>
    /// <param name="term">Above those of all holders before; 0: there is no fence.</param>
    public void Hold(long term)
    {
        DeliveryLog.Holds(context.Logger, term);
        _stores.Hold(term);
    }

    /// <summary>Another member of the group delivers from now on. What it has in its own memory is not sent, stored or tried again here; what the broker still says of it is ignored.</summary>
    /// <param name="before">The sequence in memory of the first event that belongs to this member's next time as the holder.</param>
    /// <param name="runs">Only events of nodes with these run ids, and nothing of the lists; null: all.</param>
    public void HandOver(long before, IReadOnlyCollection<ulong>? runs)
    {
        if (runs is not null)
        {
            _stores.AbandonAppend(); // what of it has arrived is found there again, with equal ids
            DeliveryLog.HandedOver(context.Logger, _memory.HandOver(before, runs));
            return;
        }

        var wasHolder = !_stores.IsStandby;
        _publisher.Forget(keepPublishing: true);
        _stores.HandOver();
        var count = _memory.HandOver(before);
        _memory.UnclaimAll();
        if (wasHolder) DeliveryLog.HandedOver(context.Logger, count);

        if (_state is DeliveryState.Storing or DeliveryState.Draining) Change(DeliveryState.Live, "another member of the group delivers");

        _waitingSince = 0;
    }

    /// <summary>Unconfirmed events count as not sent, and come first in their log again, in order.</summary>
    /// <param name="keepPublishing">The link stays in use. The message that its library is still busy with is sent before any other.</param>
    public void ForgetInFlight(bool keepPublishing = false)
    {
        _publisher.Forget(keepPublishing);
        if (_state == DeliveryState.Live) _memory.UnclaimAll(); // in other states the claimed ones are on their way into the stores

        _stores.Drain.UnclaimAll();
    }

    private bool Live(bool isStopping, bool mayPublish, bool isConnectAwaited)
    {
        if (!_stores.IsKnown) _stores.StartCount();

        if (_stores.IsCountAwaited && !IsMemoryHalfUsed && !(isStopping && _stores.LastRefusal is not null))
        {
            return false; // what an earlier run left in the storage is older than anything in memory
        }

        if (!_stores.IsEmpty || _stores.HasAppendPending)
        {
            if (_publisher.Unconfirmed > 0) return false; // one log at a time: first what was sent from memory is confirmed

            _memory.UnclaimAll();
            Change(DeliveryState.Storing, "the fallback storage holds older events");
            return true;
        }

        if (_links.IsUsable && _stores.IsHolder)
        {
            _waitingSince = 0;
            return IsMemoryFilling ? RelieveMemory() : mayPublish && _publisher.Publish(_memory);
        }

        if (!_memory.HasUnclaimed || !_stores.IsHolder)
        {
            if (isConnectAwaited || _links.LastFailure is not null) _links.Want(context.Config);

            return false;
        }

        return WaitForLink();
    }

    /// <summary>Events wait, and there is no link: they are stored once an attempt has failed, memory fills up, or the wait gets long.</summary>
    private bool WaitForLink()
    {
        _links.Want(context.Config);
        if (_waitingSince == 0) _waitingSince = context.Clock.Now;

        if (_links.LastFailure is null && !IsMemoryFilling && !context.Clock.IsPast(_waitingSince, context.Options.StoreAfter))
        {
            return false;
        }

        Change(DeliveryState.Storing, "there is no link to the broker");
        return true;
    }

    /// <summary>From here on events go through the fallback storage, until that is empty again.</summary>
    private bool RelieveMemory()
    {
        // A slow broker confirms in a moment. One that never does is not waited for longer than until three quarters are full; its events are then sent twice, with equal ids.
        if (_publisher.Unconfirmed > 0 && _memory.Bytes < context.Options.BufferBytes / 4 * 3) return false;

        ForgetInFlight(keepPublishing: true);
        _stores.StartAppend(_memory, context.Config.FallbackStorageSize);
        Change(DeliveryState.Draining, "memory fills faster than the broker confirms");
        return true;
    }

    private bool Storing(bool isStopping)
    {
        if (_links.Link is null) _links.Want(context.Config);

        // At the end of the program events are stored although the link is open: the time for publishing is over.
        if (!_links.IsUsable || (isStopping && context.IsStorageOn))
        {
            if (!StoreFromMemory(always: true, isStopping)) _stores.LookAgain();
            return false;
        }

        if (_stores.IsBusy) return false;

        if (_stores.IsEmpty)
        {
            _stores.AbandonAppend(); // the storage has refused these events so far, and now the broker takes them
            Change(DeliveryState.Live, "the broker takes events and the fallback storage is empty");
        }
        else
        {
            Change(DeliveryState.Draining, "the broker takes events");
        }

        return true;
    }

    private bool Draining(bool isStopping, bool mayPublish)
    {
        if (!_links.IsUsable && !isStopping)
        {
            Change(DeliveryState.Storing, "the link is being opened anew");
            return true;
        }

        if (!isStopping) _stores.GiveRefusedAppendBack();

        if (!_stores.IsBusy && _stores.IsEmpty && !_stores.HasAppendPending)
        {
            Change(DeliveryState.Live, "the fallback storage is empty");
            return true;
        }

        _stores.StartRemoves(part: isStopping && _publisher.Unconfirmed == 0);
        if (!StoreFromMemory(always: false, isStopping) && !isStopping) _stores.StartReads();

        return !isStopping && _links.IsUsable && mayPublish && _publisher.Publish(_stores.Drain);
    }

    /// <summary>Starts to move the oldest events from memory to the end of the fallback storage.</summary>
    /// <param name="always">Otherwise only while a quarter of the memory is used.</param>
    private bool StoreFromMemory(bool always, bool isStopping)
    {
        if (!context.IsStorageOn || !_stores.IsHolder || !_stores.MayAppend(atOnce: isStopping)) return false;

        if (!_memory.HasUnclaimed || !(always || isStopping || _memory.Bytes > context.Options.BufferBytes / 4)) return false;

        _stores.StartAppend(_memory, context.Config.FallbackStorageSize);
        return true;
    }
}
