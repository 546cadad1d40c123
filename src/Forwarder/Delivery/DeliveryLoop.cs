using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using KeyEvt.Forwarder.Amqp;
using KeyEvt.Forwarder.Fallback;
using KeyEvt.Forwarder.Outbox;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Forwarder.Delivery;

/// <summary>
/// Which event goes where, and when? The one loop that owns the link, the memory log and the fallback storage. It reacts to
/// what the feeds appended, to what the broker told and to commands, and never waits for any of them, nor for the broker library
/// to take a message: a publish that does not end at once is looked at again when it has, or when its deadline has passed. The states and their order are in <see cref="DeliveryState"/>;
/// order per node is kept because there is always one source: memory while Live, the fallback list while Draining, and what is
/// newer waits behind it.
/// </summary>
internal sealed class DeliveryLoop
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(100);

    private readonly DeliveryOptions _options;
    private readonly Func<ForwarderConfig> _config;
    private readonly TimeProvider _time;
    private readonly DeliveryClock _clock;
    private readonly WarningGate _warnings;
    private readonly DropWarnings _drops;
    private readonly ILogger _logger;
    private readonly AsyncSignal _signal = new();
    private readonly LinkInbox _inbox;
    private readonly ConcurrentQueue<Func<ValueTask>> _commands = new();
    private readonly ConnectWaiters _connectWaiters = new();
    private readonly Publisher _publisher;
    private DeliveryState _state;
    private long _waitingSince;      // events wait without a link since; 0: they do not
    private bool _reconnect;         // the link's own parameters changed: close it when the window is empty
    private long _reconnectBy;
    private bool _isStopping;
    private long _storeNothingNewBy; // while stopping: from here on everything goes to the store
    private long _endBy;
    private bool _hasEnded;
    private long _warnAgainAt;
    private long _leftBehind;

    public DeliveryLoop(IBrokerConnector connector, IEventStores stores, Ledger ledger, DeliveryOptions options, Func<ForwarderConfig> config, TimeProvider time, ILogger logger)
    {
        (_options, _config, _time, _logger) = (options, config, time, logger);
        _inbox = new LinkInbox(_signal);
        Memory = new EventLog(ledger, WaitingPlace.Memory, options.BufferBytes);
        Links = new LinkKeeper(connector, options, _inbox, _signal, time, logger);
        Stores = new StoreSet(stores, ledger, options, _signal, time, logger);
        _clock = new DeliveryClock(time);
        _publisher = new Publisher(options, config, Links, _signal.SetAndRun, _clock);
        _warnings = new WarningGate(time, TimeSpan.FromSeconds(10));
        _drops = new DropWarnings(ledger, options, _publisher, _warnings, new WarningGate(time, TimeSpan.FromSeconds(60)), logger);
    }

    /// <summary>Where the feeds put what is to be sent; call <see cref="Wake"/> after a batch.</summary>
    public EventLog Memory { get; }

    public LinkKeeper Links { get; }

    public StoreSet Stores { get; }

    public DeliveryState State => _state;

    public int UnconfirmedCount => _publisher.Unconfirmed;

    public long StateChanges { get; private set; }

    public long Refused => _publisher.Refused;

    public long Returned => _publisher.Returned;

    /// <summary>Null, or what is missing at the broker so that events reach a queue, for people.</summary>
    public string? RouteFault => _publisher.MissingKey is { } key
        ? $"no queue is bound to exchange '{_config().Exchange}' with routing key '{key}'; bind one, or start with --declare-queue. Events wait until then"
        : null;

    /// <summary>Routing keys cut at AMQP's 255 bytes.</summary>
    public long RoutingKeysCut => _publisher.RoutingKeysCut;

    public bool HasEnded => _hasEnded;

    /// <summary>Events that could not be placed before the end.</summary>
    public long LeftBehind => Volatile.Read(ref _leftBehind);

    public void Wake() => _signal.Set();

    /// <summary>Runs until <see cref="StopAsync"/>; faults on a bug, which must stop the host.</summary>
    public async Task RunAsync()
    {
        // Deadlines and backoffs need no timer of their own: the loop looks at the clock ten times a second.
        using var clock = _time.CreateTimer(static s => ((AsyncSignal)s!).Set(), _signal, LookEvery, LookEvery);
        try
        {
            while (!_hasEnded)
            {
                while (await StepAsync().ConfigureAwait(false))
                {
                }

                if (!_hasEnded)
                    await _signal.WaitAsync().ConfigureAwait(false);
            }
        }
        catch (Exception e)
        {
            DeliveryLog.LoopDied(_logger, e);
            throw;
        }
    }

    /// <summary>Connects, and stays connecting from now on; the outcome of the first attempt with the configuration in force at this call.</summary>
    public Task<ConnectResult> ConnectAsync()
    {
        var asked = _config();
        var outcome = new TaskCompletionSource<ConnectResult>(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(() =>
        {
            if (Links.Link is not null && !_reconnect && asked.HasLinkOf(Links.OpenedWith))
            {
                outcome.SetResult(new ConnectResult(6, $"already connected to {asked.Amqp}"));
                return ValueTask.CompletedTask;
            }

            if (_state == DeliveryState.Stopped)
                Change(DeliveryState.Live, "connect was asked for");

            _connectWaiters.Add(asked, outcome);
            _connectWaiters.ConfigIs(_config());
            if (Links.Link is null)
                Links.Want(_config(), now: true);

            return ValueTask.CompletedTask;
        });
        return outcome.Task;
    }

    /// <summary>Closes the link and stays closed; false when there was none and it was closed already.</summary>
    public Task<bool> DisconnectAsync() => CloseAsync(DeliveryState.Stopped, "disconnect was asked for");

    /// <summary>Closes the link and waits for the next event, as at the start.</summary>
    public Task<bool> ResetAsync() => CloseAsync(DeliveryState.Live, "reset was asked for");

    /// <summary>The configuration has changed; a link that no longer fits it is opened anew.</summary>
    public void ConfigChanged() => Post(() =>
    {
        var now = _config();
        _connectWaiters.ConfigIs(now);
        bool fits = Links.Config is not { } used || now.HasLinkOf(used);
        if (!fits && !_reconnect)
            _reconnectBy = _clock.After(_options.CloseDeadline);
        _reconnect = !fits;
        return ValueTask.CompletedTask;
    });

    /// <summary>Confirms or stores everything and ends the loop. Returns how many events could not be placed.</summary>
    public async Task<long> StopAsync(TimeSpan deadline, Task loop)
    {
        Post(() =>
        {
            _isStopping = true;
            _storeNothingNewBy = _clock.After(deadline / 2);
            _endBy = _clock.After(deadline);
            return ValueTask.CompletedTask;
        });
        await loop.ConfigureAwait(false);
        return _leftBehind;
    }

    /// <summary>One round: take in what happened, then do the next piece of work. True when there is more to do at once.</summary>
    internal async ValueTask<bool> StepAsync()
    {
        while (_commands.TryDequeue(out var command))
            await command().ConfigureAwait(false);

        await TakeLinkOutcomeAsync().ConfigureAwait(false);
        TakePublishOutcome();
        TakeLinkEvents();
        var more = Stores.TakeOutcome();
        Stores.Continue(_config().FallbackStorageSize);
        CheckDeadlines();
        if (_reconnect && (_publisher.Unconfirmed == 0 || _clock.IsPast(_reconnectBy)))
            await ReconnectAsync().ConfigureAwait(false);

        more |= _state switch
        {
            DeliveryState.Live => Live(),
            DeliveryState.Storing => Storing(),
            DeliveryState.Draining => Draining(),
            _ => false,
        };
        if (_isStopping)
            await StoppingAsync().ConfigureAwait(false);

        return more && !_hasEnded;
    }

    private bool Live()
    {
        if (!Stores.IsKnown)
            Stores.StartCount();

        if (!Stores.IsKnown && Stores.LastRefusal is null)
            return false; // what an earlier run left in the storage is older than anything in memory

        if (!Stores.IsEmpty || Stores.HasAppendPending)
        {
            if (_publisher.Unconfirmed > 0)
                return false; // one source at a time: what memory has in flight is settled first

            Memory.UnclaimAll();
            Change(DeliveryState.Storing, "the fallback storage holds older events");
            return true;
        }

        if (Links.IsUsable)
        {
            _waitingSince = 0;
            return IsMemoryFilling ? RelieveMemory() : Publish(Memory);
        }

        if (!Memory.HasUnclaimed)
        {
            if (_connectWaiters.AreThere || Links.LastFailure is not null)
                Links.Want(_config());

            return false;
        }

        Links.Want(_config());
        if (_waitingSince == 0)
            _waitingSince = _clock.Now;

        if (Links.LastFailure is not null || IsMemoryFilling || _clock.IsPast(_waitingSince, _options.StoreAfter))
        {
            Change(DeliveryState.Storing, "there is no link to the broker");
            return true;
        }

        return false;
    }

    /// <summary>Half of the memory waits, the broker cannot keep up, and the fallback storage can take it: better than to drop the oldest when all is full.</summary>
    private bool IsMemoryFilling => Memory.Bytes > _options.BufferBytes / 2 && IsStorageOn && Stores.MayAppend();

    /// <summary>From here on events go by way of the fallback storage, until that is empty again.</summary>
    private bool RelieveMemory()
    {
        // A slow broker confirms what it has in a moment; one that never does is not waited for: what it has then goes out twice, with equal ids.
        if (_publisher.Unconfirmed > 0 && Memory.Bytes < _options.BufferBytes / 4 * 3)
            return false;

        ForgetInFlight(keepPublishing: true);
        Stores.StartAppend(Memory, _config().FallbackStorageSize);
        Change(DeliveryState.Draining, "memory fills faster than the broker confirms");
        return true;
    }

    private bool Storing()
    {
        if (Links.Link is null)
            Links.Want(_config());

        // At the end of the program an open link does not lead back to publishing: what counts then is a safe place.
        if (!Links.IsUsable || (_isStopping && IsStorageOn))
        {
            if (!StoreFromMemory(always: true))
                Stores.LookAgain();
            return false;
        }

        if (Stores.IsBusy)
            return false;

        if (Stores.IsEmpty)
        {
            Stores.AbandonAppend(); // refused so far, and the broker takes events again
            Change(DeliveryState.Live, "the broker takes events and the fallback storage is empty");
        }
        else
        {
            Change(DeliveryState.Draining, "the broker takes events");
        }

        return true;
    }

    private bool Draining()
    {
        if (!Links.IsUsable && !_isStopping)
        {
            Change(DeliveryState.Storing, "the link is being opened anew");
            return true;
        }

        if (!_isStopping)
            Stores.GiveRefusedAppendBack();

        if (!Stores.IsBusy && Stores.IsEmpty && !Stores.HasAppendPending)
        {
            Change(DeliveryState.Live, "the fallback storage is empty");
            return true;
        }

        Stores.StartRemoves(part: _isStopping && _publisher.Unconfirmed == 0);
        if (!StoreFromMemory(always: false) && !_isStopping)
            Stores.StartReads();

        return !_isStopping && Links.IsUsable && Publish(Stores.Drain);
    }

    /// <summary>Starts moving the oldest events from memory to the end of the fallback storage.</summary>
    /// <param name="always">Otherwise only when memory is filling up.</param>
    private bool StoreFromMemory(bool always)
    {
        if (!IsStorageOn || !Stores.MayAppend(atOnce: _isStopping))
            return false;

        if (!Memory.HasUnclaimed || !(always || _isStopping || Memory.Bytes > _options.BufferBytes / 4))
            return false;

        Stores.StartAppend(Memory, _config().FallbackStorageSize);
        return true;
    }

    private bool Publish(EventLog source)
    {
        if (_reconnect)
            return false;

        try
        {
            return _publisher.Publish(source);
        }
        catch (LinkException e)
        {
            LoseLink(e.Kind, e.Message);
            return true;
        }
    }

    /// <summary>What the broker library has done with the last message, and whether the broker is still answering.</summary>
    private void TakePublishOutcome()
    {
        try
        {
            _publisher.TakeOutcome();
        }
        catch (LinkException e)
        {
            LoseLink(e.Kind, e.Message);
        }
    }

    private async ValueTask TakeLinkOutcomeAsync()
    {
        if (await Links.TakeOutcomeAsync().ConfigureAwait(false) is not { } outcome)
            return;

        if (outcome.Connected)
        {
            _publisher.BeginLink();
            if (!_config().HasLinkOf(Links.OpenedWith))
                (_reconnect, _reconnectBy) = (true, 0);
        }

        _connectWaiters.AttemptEnded(Links.LastAttempt!, outcome);
    }

    private void TakeLinkEvents()
    {
        foreach (var e in _inbox.TakeAll())
        {
            if (e.Epoch != Links.Epoch || Links.Link is null)
                continue; // an old link's last words

            switch (e.Kind)
            {
                case LinkInbox.Kind.Blocked:
                    Links.BlockedReason = e.Reason;
                    if (_warnings.MayWarn(2103, e.Reason))
                        DeliveryLog.Blocked(_logger, e.Reason ?? "");

                    GoStoring($"the broker is blocked: {e.Reason}");
                    break;
                case LinkInbox.Kind.Unblocked:
                    Links.BlockedReason = null;
                    DeliveryLog.Unblocked(_logger);
                    break;
                case LinkInbox.Kind.Closed:
                    LoseLink(e.Failure, e.Reason ?? "closed");
                    break;
                default:
                    _publisher.Take(e);
                    break;
            }
        }
    }

    private void CheckDeadlines()
    {
        try
        {
            if (Links.IsUsable)
                _publisher.CheckConfirmDeadline();
        }
        catch (LinkException e)
        {
            LoseLink(e.Kind, e.Message);
        }

        if (!_clock.IsPast(_warnAgainAt))
            return;

        _warnAgainAt = _clock.After(LookEvery);
        _drops.Warn();
    }

    private void LoseLink(LinkFailureKind kind, string reason)
    {
        if (kind == LinkFailureKind.MessageTooLarge)
            _publisher.DropTooLarge();

        Links.Lost(kind, reason);
        GoStoring(reason);
    }

    /// <summary>What was unconfirmed goes back in front, in order; until further notice events are stored.</summary>
    private void GoStoring(string reason)
    {
        ForgetInFlight();
        if (_state is DeliveryState.Live or DeliveryState.Draining)
            Change(DeliveryState.Storing, reason);
    }

    /// <param name="keepPublishing">The link stays in use, and the message that its library is busy with still comes before any other.</param>
    private void ForgetInFlight(bool keepPublishing = false)
    {
        _publisher.Forget(keepPublishing);
        if (_state == DeliveryState.Live)
            Memory.UnclaimAll();

        Stores.Drain.UnclaimAll();
    }

    private async Task<bool> CloseAsync(DeliveryState next, string reason)
    {
        var outcome = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(async () =>
        {
            var wasOpen = Links.Link is not null || Links.IsConnecting || (_state == DeliveryState.Storing && next == DeliveryState.Stopped);
            _connectWaiters.GiveUp("disconnected meanwhile");
            await CloseLinkAsync().ConfigureAwait(false);
            if (_state != next)
                Change(next, reason);

            outcome.SetResult(wasOpen);
        });
        return await outcome.Task.ConfigureAwait(false);
    }

    /// <summary>Gives what is published a moment to be confirmed, then closes the link.</summary>
    private async ValueTask CloseLinkAsync()
    {
        var deadline = _clock.After(_options.CloseDeadline);
        while (Links.IsUsable && _publisher.Unconfirmed > 0 && !_clock.IsPast(deadline))
        {
            await _signal.WaitAsync().ConfigureAwait(false);
            TakeLinkEvents();
        }

        ForgetInFlight();
        _reconnect = false;
        await Links.CloseAsync(_options.CloseDeadline).ConfigureAwait(false);
    }

    private async ValueTask ReconnectAsync()
    {
        _reconnect = false;
        ForgetInFlight();
        await Links.CloseAsync(_options.CloseDeadline).ConfigureAwait(false);
        if (_state != DeliveryState.Stopped)
            Links.Want(_config(), now: true);
    }

    /// <summary>Towards the end: everything confirmed or stored, or counted as left behind.</summary>
    private async ValueTask StoppingAsync()
    {
        var isSettled = _publisher.Unconfirmed == 0 && !Stores.IsBusy && !Stores.HasAppendPending && !Stores.HasRemovable(part: true);
        if (isSettled && Memory.IsEmpty)
        {
            await EndAsync().ConfigureAwait(false);
            return;
        }

        var cannotPublish = !Links.IsUsable || _publisher.MissingKey is not null || _clock.IsPast(_storeNothingNewBy);
        if (_state is DeliveryState.Live or DeliveryState.Stopped && cannotPublish && (IsStorageOn || !Links.IsUsable))
        {
            ForgetInFlight();
            Change(DeliveryState.Storing, "the program ends");
        }

        if (_clock.IsPast(_storeNothingNewBy) && _publisher.Unconfirmed > 0)
            ForgetInFlight();

        if (_clock.IsPast(_endBy))
            await EndAsync().ConfigureAwait(false);
    }

    private async ValueTask EndAsync()
    {
        Memory.UnclaimAll();
        while (Memory.TryClaim(out var entry))
        {
            Volatile.Write(ref _leftBehind, _leftBehind + 1); // before it counts as settled
            Memory.Settle(entry.Sequence, Settlement.Shutdown);
        }

        if (_leftBehind > 0)
            DeliveryLog.LeftBehind(_logger, _leftBehind);

        var left = _clock.Until(_endBy);
        await Links.CloseAsync(left < _options.CloseDeadline ? left : _options.CloseDeadline).ConfigureAwait(false);
        _connectWaiters.GiveUp("the program ends");
        _hasEnded = true;
    }

    private void Change(DeliveryState next, string reason)
    {
        DeliveryLog.StateChanged(_logger, _state, next, reason);
        _state = next;
        _waitingSince = 0;
        StateChanges++;
    }

    private bool IsStorageOn => _config().FallbackStorageSize >= 0 || _options.HasSpool;

    private void Post(Func<ValueTask> command)
    {
        _commands.Enqueue(command);
        _signal.Set();
    }
}
