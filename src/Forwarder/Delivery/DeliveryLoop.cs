using System.Collections.Concurrent;
using KeyEvt.Forwarder.Amqp;
using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Delivery.Link;
using KeyEvt.Forwarder.Delivery.Publishing;
using KeyEvt.Forwarder.Delivery.Stores;
using KeyEvt.Forwarder.Fallback.Lists;
using KeyEvt.Forwarder.Outbox;
using KeyEvt.Forwarder.Signals;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Forwarder.Delivery;

/// <summary>In which order is the work of delivery done? One loop moves all events from memory to the broker, or to the fallback storage and back.</summary>
/// <remarks>
/// <para>
/// The loop is the only one that touches the link, the stores and its parts: <see cref="DeliveryStateMachine"/>, <see cref="LinkMonitor"/>, <see cref="LinkCommands"/> and
/// <see cref="DeliveryShutdown"/>. So these need no locks. Commands and the broker library's callbacks are queued, and taken in by the loop.
/// </para>
/// <para>The loop never waits for Redis, for the broker, or for the broker library to take a message. It looks again when woken, and ten times a second.</para>
/// </remarks>
internal sealed class DeliveryLoop
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(100);

    private readonly Func<ForwarderConfig> _config;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly AsyncSignal _signal = new();
    private readonly ConcurrentQueue<Func<ValueTask>> _posted = new(); // filled by any thread, emptied by the loop
    private readonly Publisher _publisher;
    private readonly DropWarnings _drops;
    private readonly DeliveryStateMachine _states;
    private readonly LinkMonitor _monitor;
    private readonly LinkCommands _commands;
    private readonly DeliveryShutdown _shutdown;

    public DeliveryLoop(IBrokerConnector connector, IEventStoreSelector stores, Ledger ledger, DeliveryOptions options, Func<ForwarderConfig> config, TimeProvider time, ILogger logger)
    {
        (_config, _time, _logger) = (config, time, logger);
        var inbox = new LinkInbox(_signal);
        var clock = new DeliveryClock(time);
        var warnings = new LogRateLimiter(time, TimeSpan.FromSeconds(10));
        Memory = new EventLog(ledger, WaitingPlace.Memory, options.BufferBytes);
        Links = new BrokerConnectionSupervisor(connector, options, inbox, _signal, time, logger);
        Stores = new StoreSet(stores, ledger, options, _signal, time, logger);
        _publisher = new Publisher(options, config, Links, _signal.SetAndRun, clock);
        _drops = new DropWarnings(ledger, options, _publisher, warnings, new LogRateLimiter(time, TimeSpan.FromSeconds(60)), clock, logger);
        var context = new DeliveryContext(Memory, Links, Stores, _publisher, clock, options, config, logger);
        _states = new DeliveryStateMachine(context);
        _monitor = new LinkMonitor(context, _states, inbox, warnings);
        _commands = new LinkCommands(context, _states, _monitor, _signal);
        _shutdown = new DeliveryShutdown(context, _states, _commands);
    }

    /// <summary>Where the feeds put what is to be sent; call <see cref="Wake"/> after a batch.</summary>
    public EventLog Memory { get; }

    /// <summary>Reports read it from other threads, see there.</summary>
    public BrokerConnectionSupervisor Links { get; }

    /// <summary>Told of each confirmed event; null: nobody measures.</summary>
    public ConfirmTimes? ConfirmTimes
    {
        init => _publisher.ConfirmTimes = value;
    }

    /// <summary>Reports read it from other threads, see there.</summary>
    public StoreSet Stores { get; }

    public DeliveryState State => _states.State;

    public long StateChanges => _states.Changes;

    /// <summary>Published and not yet confirmed.</summary>
    public int UnconfirmedCount => _publisher.Unconfirmed;

    /// <summary>Nacks so far.</summary>
    public long Refused => _publisher.Refused;

    /// <summary>Unroutable messages that came back so far.</summary>
    public long Returned => _publisher.Returned;

    /// <summary>Null, or what is missing at the broker so that events reach a queue, for people.</summary>
    public string? RouteFault => _publisher.MissingKey is { } key
        ? $"no queue is bound to exchange '{_config().Exchange}' with routing key '{key}'; bind one, or start with --declare-queue. Events wait until then"
        : null;

    /// <summary>Whether the broker could be sent something now. Any thread may ask.</summary>
    public bool IsBrokerThere => Links.IsUsable;

    /// <summary>The last refusal of the lists because another member of the group has a higher term; null: none since the last <see cref="Hold"/> or <see cref="HandOver"/>. Any thread may ask.</summary>
    public FenceRefusal? Fenced => Stores.Office.Fenced;

    /// <summary>Routing keys cut at AMQP's 255 bytes.</summary>
    public long RoutingKeysCut => _publisher.RoutingKeysCut;

    /// <summary>Whether everything was placed or counted after <see cref="StopAsync"/>, and the loop is over.</summary>
    public bool HasEnded => _shutdown.HasEnded;

    /// <summary>Events that could not be placed before the end.</summary>
    public long LeftBehind => _shutdown.LeftBehind;

    public void Wake() => _signal.Set();

    /// <summary>Runs until <see cref="StopAsync"/>; faults on a bug, which must stop the host.</summary>
    public async Task RunAsync()
    {
        // Deadlines and pauses need no timers of their own: each round looks at the clock, and there are ten a second at least.
        using var clock = _time.CreateTimer(static s => ((AsyncSignal)s!).Set(), _signal, LookEvery, LookEvery);
        try
        {
            while (!HasEnded)
            {
                while (await StepAsync().ConfigureAwait(false))
                {
                }

                if (!HasEnded) await _signal.WaitAsync().ConfigureAwait(false);
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
        Post(() => _commands.Connect(asked, outcome));
        return outcome.Task;
    }

    /// <summary>Closes the link and stays closed; false when there was none and it was closed already.</summary>
    public Task<bool> DisconnectAsync() => CloseAsync(DeliveryState.Stopped, "disconnect was asked for");

    /// <summary>Closes the link and waits for the next event, as at the start.</summary>
    public Task<bool> ResetAsync() => CloseAsync(DeliveryState.Live, "reset was asked for");

    /// <summary>The configuration has changed; a link that no longer fits it is opened anew.</summary>
    public void ConfigChanged() => Post(_commands.ConfigChanged);

    /// <summary>This member of the group delivers from now on, and uses the lists. While it does so already, only the term rises. Any thread may call it; it does not wait.</summary>
    /// <param name="term">Above those of all holders before. With it the lists refuse what an old holder still sends.</param>
    public void Hold(long term)
    {
        Stores.Office.WillBegin(term);
        Post(() => _states.Hold(term));
    }

    /// <summary>
    /// Another member of the group delivers from now on: what is in memory at this call, and what the books say of the lists, is left to it, and no list is touched any more.
    /// Any thread may call it; it does not wait. Events that come into memory after the call belong to the next <see cref="Hold"/>.
    /// </summary>
    /// <param name="runs">Only the events of nodes with these run ids: this program goes on with the others, and with the lists. Null: all of it.</param>
    public void HandOver(IReadOnlyCollection<ulong>? runs = null)
    {
        var before = Memory.Tail;
        if (runs is null) Stores.Office.WillEnd();
        Post(() => _states.HandOver(before, runs));
    }

    /// <summary>Confirms or stores everything and ends the loop. Returns how many events could not be placed.</summary>
    public async Task<long> StopAsync(TimeSpan deadline, Task loop)
    {
        Post(() => _shutdown.Begin(deadline));
        await loop.ConfigureAwait(false);
        return LeftBehind;
    }

    /// <summary>One round: take in what happened, then do the next piece of work. True when there is more to do at once.</summary>
    internal async ValueTask<bool> StepAsync()
    {
        while (_posted.TryDequeue(out var command)) await command().ConfigureAwait(false);

        await _commands.TakeAttemptOutcomeAsync().ConfigureAwait(false);
        _monitor.TakePublishOutcome();
        _monitor.TakeEvents();
        var more = Stores.TakeOutcome();
        Stores.Continue(_config().FallbackStorageSize, isPressed: _shutdown.IsStopping || _states.IsMemoryHalfUsed);
        _monitor.CheckConfirmDeadline();
        _drops.WarnIfDue();
        await _commands.ReconnectIfDueAsync().ConfigureAwait(false);
        more |= MoveEvents();
        await _shutdown.StepAsync().ConfigureAwait(false);
        return more && !HasEnded;
    }

    private bool MoveEvents()
    {
        try
        {
            return _states.Step(_shutdown.IsStopping, mayPublish: !_commands.IsReconnecting, _commands.IsConnectAwaited);
        }
        catch (LinkException e)
        {
            _monitor.Lose(e.Kind, e.Message);
            return true;
        }
    }

    private async Task<bool> CloseAsync(DeliveryState next, string reason)
    {
        var outcome = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(() => _commands.CloseAsync(next, reason, outcome));
        return await outcome.Task.ConfigureAwait(false);
    }

    private void Post(Action command) => Post(() =>
    {
        command();
        return ValueTask.CompletedTask;
    });

    private void Post(Func<ValueTask> command)
    {
        _posted.Enqueue(command);
        _signal.Set();
    }
}
