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
    private const int PublishRun = 256; // messages between two looks at the broker's answers

    /// <summary>Since the last refusal. A full queue that is emptied slowly refuses some and takes the next: with one at a time none overtakes a refused one.</summary>
    private static readonly TimeSpan CautiousFor = TimeSpan.FromSeconds(10);

    private readonly Ledger _ledger;
    private readonly DeliveryOptions _options;
    private readonly Func<ForwarderConfig> _config;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly AsyncSignal _signal = new();
    private readonly Action _wake;
    private readonly LinkInbox _inbox;
    private readonly ConcurrentQueue<Func<ValueTask>> _commands = new();
    private readonly List<TaskCompletionSource<ConnectResult>> _connectWaiters = [];
    private readonly Backoff _holdBackoff = new(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(5), Random.Shared);
    private readonly WarningGate _warnings;
    private readonly RoutingKeyCuts _cuts = new();
    private readonly string _run = RandomNumberGenerator.GetHexString(8, lowercase: true);
    private InFlight _inFlight;
    private DeliveryState _state;
    private MessageRoute _route;
    private MessageRoute _failedRoute;
    private MessageRoute _gapRoute;
    private ForwarderConfig _routeOf;
    private Task? _publishing;       // the broker library has not yet taken this message: nothing else is published
    private long _publishingSince;
    private bool _isRefused;         // a nack came: nothing is published until the window is empty
    private long _holdUntil;         // after a nack: no publish before this timestamp
    private long _cautiousUntil;     // after a nack: one at a time until this timestamp
    private long _waitingSince;      // events wait without a link since; 0: they do not
    private bool _reconnect;         // the link's own parameters changed: close it when the window is empty
    private long _reconnectBy;
    private bool _isStopping;
    private long _storeNothingNewBy; // while stopping: from here on everything goes to the store
    private long _endBy;
    private bool _hasEnded;
    private long _leftBehind;
    private long _seenMemoryFull;
    private long _seenCuts;

    public DeliveryLoop(IBrokerConnector connector, IEventStore store, Ledger ledger, DeliveryOptions options, Func<ForwarderConfig> config, TimeProvider time, ILogger logger)
    {
        (_ledger, _options, _config, _time, _logger) = (ledger, options, config, time, logger);
        _wake = _signal.SetAndRun;
        _inbox = new LinkInbox(_signal);
        Memory = new EventLog(ledger, WaitingPlace.Memory, options.BufferBytes);
        Links = new LinkKeeper(connector, options, _inbox, _signal, time, logger);
        Stores = new StoreKeeper(store, ledger, options, _signal, time, logger);
        _inFlight = new InFlight(options.Window);
        _warnings = new WarningGate(time, TimeSpan.FromSeconds(10));
        _routeOf = config();
        (_route, _failedRoute, _gapRoute) = RoutesOf(_routeOf);
    }

    /// <summary>Where the feeds put what is to be sent; call <see cref="Wake"/> after a batch.</summary>
    public EventLog Memory { get; }

    public LinkKeeper Links { get; }

    public StoreKeeper Stores { get; }

    public DeliveryState State => _state;

    public int UnconfirmedCount => _inFlight.Count;

    public long StateChanges { get; private set; }

    public long Refused { get; private set; }

    public long Returned { get; private set; }

    /// <summary>Routing keys cut at AMQP's 255 bytes.</summary>
    public long RoutingKeysCut => _cuts.Count;

    public bool HasEnded => _hasEnded;

    /// <summary>Events that could not be placed before the end.</summary>
    public long LeftBehind => _leftBehind;

    public void Wake() => _signal.Set();

    /// <summary>Runs until <see cref="StopAsync"/>; faults on a bug, which must stop the host.</summary>
    public async Task RunAsync()
    {
        // Deadlines and backoffs need no timer of their own: the loop looks at the clock ten times a second.
        using var clock = _time.CreateTimer(static s => ((AsyncSignal)s!).Set(), _signal, TimeSpan.FromMilliseconds(100), TimeSpan.FromMilliseconds(100));
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

    /// <summary>Connects, and stays connecting from now on; the outcome of the next attempt.</summary>
    public Task<ConnectResult> ConnectAsync()
    {
        var outcome = new TaskCompletionSource<ConnectResult>(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(() =>
        {
            if (Links.Link is not null && !_reconnect)
            {
                outcome.SetResult(new ConnectResult(6, $"already connected to {_config().Amqp}"));
                return ValueTask.CompletedTask;
            }

            if (_state == DeliveryState.Stopped)
                Change(DeliveryState.Live, "connect was asked for");

            _connectWaiters.Add(outcome);
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
        if ((Links.Link is not null || Links.IsConnecting) && !Fits(Links.OpenedWith))
            (_reconnect, _reconnectBy) = (true, After(_options.CloseDeadline));

        return ValueTask.CompletedTask;
    });

    /// <summary>Confirms or stores everything and ends the loop. Returns how many events could not be placed.</summary>
    public async Task<long> StopAsync(TimeSpan deadline, Task loop)
    {
        Post(() =>
        {
            _isStopping = true;
            _storeNothingNewBy = After(deadline / 2);
            _endBy = After(deadline);
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
        Stores.RetryIfDue();
        CheckDeadlines();
        if (_reconnect && (_inFlight.Count == 0 || IsPast(_reconnectBy)))
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
        if (!Stores.IsKnown && Stores.MayStart)
            Stores.StartCount();

        if (!Stores.IsKnown && Stores.LastRefusal is null)
            return false; // what an earlier run left in the storage is older than anything in memory

        if (!Stores.IsEmpty || Stores.HasAppendPending)
        {
            if (_inFlight.Count > 0)
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
            if (_connectWaiters.Count > 0 || Links.LastFailure is not null)
                Links.Want(_config());

            return false;
        }

        Links.Want(_config());
        if (_waitingSince == 0)
            _waitingSince = _time.GetTimestamp();

        if (Links.LastFailure is not null || IsMemoryFilling || IsPast(_waitingSince + Ticks(_options.StoreAfter)))
        {
            Change(DeliveryState.Storing, "there is no link to the broker");
            return true;
        }

        return false;
    }

    /// <summary>Half of the memory waits, the broker cannot keep up, and the fallback storage can take it: better than to drop the oldest when all is full.</summary>
    private bool IsMemoryFilling => Memory.Bytes > _options.BufferBytes / 2 && IsStorageOn && Stores.MayAppend;

    /// <summary>From here on events go by way of the fallback storage, until that is empty again.</summary>
    private bool RelieveMemory()
    {
        // A slow broker confirms what it has in a moment; one that never does is not waited for: what it has then goes out twice, with equal ids.
        if (_inFlight.Count > 0 && Memory.Bytes < _options.BufferBytes / 4 * 3)
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
            StoreFromMemory(always: true);
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

        if (Stores.MayStart)
        {
            if (Stores.HasRemovable(part: _isStopping && _inFlight.Count == 0))
                Stores.StartRemove();
            else if (!StoreFromMemory(always: false) && !_isStopping && Stores.Length > Stores.Claimed && Stores.Drain.Count <= _options.StoreBatch)
                Stores.StartRead();
        }

        return !_isStopping && Links.IsUsable && Publish(Stores.Drain);
    }

    /// <summary>Starts moving the oldest events from memory to the end of the fallback storage.</summary>
    /// <param name="always">Otherwise only when memory is filling up.</param>
    private bool StoreFromMemory(bool always)
    {
        if (!IsStorageOn || !(_isStopping ? Stores.MayStart : Stores.MayAppend))
            return false;

        if (!Memory.HasUnclaimed || !(always || _isStopping || Memory.Bytes > _options.BufferBytes / 4))
            return false;

        Stores.StartAppend(Memory, _config().FallbackStorageSize);
        return true;
    }

    private bool Publish(EventLog source)
    {
        if (_isRefused)
        {
            if (_inFlight.Count > 0)
                return false;

            source.UnclaimAll(); // the refused ones go in front of everything that was not sent
            _isRefused = false;
            var delay = _holdBackoff.Next();
            _holdUntil = After(delay);
            _cautiousUntil = After(delay + CautiousFor);
            if (_warnings.MayWarn(2106))
                DeliveryLog.Refused(_logger, Refused, (int)delay.TotalMilliseconds);
        }

        if (_publishing is not null || _reconnect || !IsPast(_holdUntil))
            return false;

        RefreshRoute();
        var limit = IsPast(_cautiousUntil) || _options.MaxAttempts > 0 ? int.MaxValue : 1; // what is sent on as failed has no order to keep
        var published = 0;
        while (published < PublishRun && _inFlight.Count < limit && _inFlight.HasRoom && _inFlight.Bytes < _options.WindowBytes && source.TryClaim(out var entry))
        {
            published++;
            if (!PublishOne(source, entry))
                return false;
        }

        return published == PublishRun;
    }

    /// <summary>False when no other may follow at once: the library is still busy with it, or the link is lost.</summary>
    private bool PublishOne(EventLog source, in LogEntry entry)
    {
        var isDeadLetter = _options.MaxAttempts > 0 && entry.Attempts >= _options.MaxAttempts;
        var messageId = entry.IdLength > 0 ? entry.MessageId : IdForPlainBody(entry.Sequence);
        var now = _time.GetTimestamp();
        _inFlight.Add(source, entry, messageId, now, isDeadLetter);
        try
        {
            var route = isDeadLetter ? _failedRoute : GapPublisher.IsGap(messageId.Span) ? _gapRoute : _route;
            var call = Links.Link!.PublishAsync(entry, route, messageId);
            if (call.IsCompletedSuccessfully)
                return true;

            (_publishing, _publishingSince) = (call.AsTask(), now);
            _publishing.ConfigureAwait(false).GetAwaiter().UnsafeOnCompleted(_wake);
        }
        catch (Exception e)
        {
            LoseLink(e);
        }

        return false;
    }

    /// <summary>Takes in that the broker library has taken the message, has failed, or has not answered in time (it may never).</summary>
    private void TakePublishOutcome()
    {
        if (_publishing is not { } publishing)
            return;

        if (publishing.IsCompletedSuccessfully)
            _publishing = null;
        else if (publishing.IsCompleted)
            LoseLink(publishing.Exception?.InnerException);
        else if (IsPast(_publishingSince + Ticks(_options.PublishDeadline)))
            LoseLink(LinkFailureKind.Connection, $"the broker took no message for {_options.PublishDeadline.TotalSeconds:0} s");
    }

    private async ValueTask TakeLinkOutcomeAsync()
    {
        if (await Links.TakeOutcomeAsync().ConfigureAwait(false) is not { } outcome)
            return;

        if (outcome.Connected)
        {
            _inFlight = new InFlight(_options.Window);
            _isRefused = false;
            _holdUntil = 0;
            if (!Fits(Links.OpenedWith))
                (_reconnect, _reconnectBy) = (true, 0);
        }

        foreach (var waiter in _connectWaiters)
            waiter.SetResult(outcome);

        _connectWaiters.Clear();
    }

    private void TakeLinkEvents()
    {
        foreach (var e in _inbox.TakeAll())
        {
            if (e.Epoch != Links.Epoch || Links.Link is null)
                continue; // an old link's last words

            switch (e.Kind)
            {
                case LinkInbox.Kind.Confirmed or LinkInbox.Kind.Refused when !e.Multiple:
                    if (_inFlight.TryTake(e.Tag, out var one))
                        Answered(one, e.Kind == LinkInbox.Kind.Refused);
                    break;
                case LinkInbox.Kind.Confirmed or LinkInbox.Kind.Refused:
                    while (_inFlight.TryTakeUpTo(e.Tag, out var many))
                        Answered(many, e.Kind == LinkInbox.Kind.Refused);
                    break;
                case LinkInbox.Kind.Returned:
                    if (e.MessageId is not null)
                        _inFlight.MarkReturned(Encoding.UTF8.GetBytes(e.MessageId));
                    break;
                case LinkInbox.Kind.Blocked:
                    Links.BlockedReason = e.Reason;
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
            }
        }
    }

    private void Answered(in InFlight.Slot slot, bool refused)
    {
        if (refused)
        {
            Refused++;
            slot.Log!.CountAttempt(slot.Sequence);
            _isRefused = true;
            return;
        }

        if (!slot.IsReturned)
        {
            if (!_isRefused)
                _holdBackoff.Reset();

            Links.ProvedStable();
            slot.Log!.Settle(slot.Sequence, slot.IsDeadLetter ? Settlement.DeadLettered : Settlement.Confirmed);
            if (slot.IsDeadLetter && _warnings.MayWarn(2114))
                DeliveryLog.DeadLettered(_logger, _ledger.Dropped(DropReason.DeadLettered), _options.MaxAttempts, _failedRoute.RoutingKey);

            return;
        }

        Returned++;
        if (_warnings.MayWarn(2105))
            DeliveryLog.Unroutable(_logger, _route.Exchange, _route.RoutingKey, Returned, _options.StoreUnroutable ? "kept and tried again" : "dropped and counted");

        if (_options.StoreUnroutable)
            _isRefused = true;
        else
            slot.Log!.Settle(slot.Sequence, Settlement.Unroutable);
    }

    private void CheckDeadlines()
    {
        if (Links.IsUsable && _inFlight.OldestPublishedAt is { } published && IsPast(published + Ticks(_options.ConfirmDeadline)))
            LoseLink(LinkFailureKind.Connection, $"no confirm came within {_options.ConfirmDeadline.TotalSeconds:0} s");

        if (_ledger.Dropped(DropReason.MemoryFull) is var dropped && dropped != _seenMemoryFull && _warnings.MayWarn(2107))
        {
            _seenMemoryFull = dropped;
            DeliveryLog.MemoryFull(_logger, _options.BufferBytes, dropped);
        }

        if (_cuts.Count is var cut && cut != _seenCuts && _warnings.MayWarn(2115))
        {
            _seenCuts = cut;
            DeliveryLog.RoutingKeyCut(_logger, _route.RoutingKey, cut);
        }
    }

    private void LoseLink(Exception? publishing)
    {
        var (kind, reason) = BrokerWords.PublishFailed(publishing);
        LoseLink(kind, reason);
    }

    private void LoseLink(LinkFailureKind kind, string reason)
    {
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
        _inFlight = new InFlight(_options.Window, _inFlight.NextTag);
        _isRefused = false;
        if (_state == DeliveryState.Live)
            Memory.UnclaimAll();

        Stores.Drain.UnclaimAll();
        if (keepPublishing)
            return;

        _ = _publishing?.ContinueWith(static t => t.Exception, TaskScheduler.Default); // however late it ends, it concerns nobody any more
        _publishing = null;
    }

    private async Task<bool> CloseAsync(DeliveryState next, string reason)
    {
        var outcome = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(async () =>
        {
            var wasOpen = Links.Link is not null || Links.IsConnecting || (_state == DeliveryState.Storing && next == DeliveryState.Stopped);
            foreach (var waiter in _connectWaiters)
                waiter.SetResult(new ConnectResult((int)LinkFailureKind.Connection, "disconnected meanwhile"));

            _connectWaiters.Clear();
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
        var deadline = After(_options.CloseDeadline);
        while (Links.IsUsable && _inFlight.Count > 0 && !IsPast(deadline))
        {
            await _signal.WaitAsync().ConfigureAwait(false);
            TakeLinkEvents();
        }

        ForgetInFlight();
        _reconnect = false;
        await Links.CloseAsync().ConfigureAwait(false);
    }

    private async ValueTask ReconnectAsync()
    {
        _reconnect = false;
        ForgetInFlight();
        await Links.CloseAsync().ConfigureAwait(false);
        if (_state != DeliveryState.Stopped)
            Links.Want(_config(), now: true);
    }

    /// <summary>Towards the end: everything confirmed or stored, or counted as left behind.</summary>
    private async ValueTask StoppingAsync()
    {
        var isSettled = _inFlight.Count == 0 && !Stores.IsBusy && !Stores.HasAppendPending && !Stores.HasRemovable(part: true);
        if (isSettled && Memory.IsEmpty)
        {
            await EndAsync().ConfigureAwait(false);
            return;
        }

        var cannotPublish = !Links.IsUsable || IsPast(_storeNothingNewBy);
        if (_state is DeliveryState.Live or DeliveryState.Stopped && cannotPublish)
        {
            ForgetInFlight();
            Change(DeliveryState.Storing, "the program ends");
        }

        if (IsPast(_storeNothingNewBy) && _inFlight.Count > 0)
            ForgetInFlight();

        if (IsPast(_endBy))
            await EndAsync().ConfigureAwait(false);
    }

    private async ValueTask EndAsync()
    {
        Memory.UnclaimAll();
        while (Memory.TryClaim(out var entry))
        {
            Memory.Settle(entry.Sequence, Settlement.Shutdown);
            _leftBehind++;
        }

        if (_leftBehind > 0)
            DeliveryLog.LeftBehind(_logger, _leftBehind);

        await Links.CloseAsync().ConfigureAwait(false);
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

    private void RefreshRoute()
    {
        var config = _config();
        if (ReferenceEquals(config, _routeOf))
            return;

        _routeOf = config;
        (_route, _failedRoute, _gapRoute) = RoutesOf(config);
    }

    private (MessageRoute Events, MessageRoute Failed, MessageRoute Gaps) RoutesOf(ForwarderConfig config) =>
        (MessageRoute.Of(config, _cuts), MessageRoute.ForFailed(config, _cuts), MessageRoute.ForGaps(config, _cuts));

    /// <summary>Whether a link opened with that configuration still serves the one in force.</summary>
    private bool Fits(ForwarderConfig? opened)
    {
        var now = _config();
        return opened is not null && opened.Amqp == now.Amqp && opened.DeclareQueue == now.DeclareQueue && opened.Exchange == now.Exchange
            && (now.DeclareQueue is null || opened.RoutingKey == now.RoutingKey);
    }

    /// <summary>Of a plain body the place in what this run reads is all there is to tell it from others; a retry has the same.</summary>
    private ReadOnlyMemory<byte> IdForPlainBody(long sequence) =>
        Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"adopted-{_run}-{sequence}"));

    private long Ticks(TimeSpan span) => (long)(span.TotalSeconds * _time.TimestampFrequency);

    private long After(TimeSpan span) => _time.GetTimestamp() + Ticks(span);

    private bool IsPast(long timestamp) => _time.GetTimestamp() >= timestamp;
}
