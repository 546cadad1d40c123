using System.Diagnostics.Metrics;
using System.Text;
using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Delivery;
using KeyEvt.Forwarder.Delivery.Publishing;
using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Fallback.Lists;
using KeyEvt.Forwarder.Filter;
using KeyEvt.Forwarder.Intake;
using KeyEvt.Forwarder.Outbox;
using KeyEvt.Forwarder.Tests.Fallback;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace KeyEvt.Forwarder.Tests.Delivery;

/// <summary>A delivery loop over a fake broker and a fake store, stepped by the test, in virtual time.</summary>
internal sealed class DeliveryRig
{
    private readonly ulong _runId;
    private int _next;

    /// <param name="stores">Several stores, instead of the one.</param>
    /// <param name="isHolder">Whether the program delivers from the beginning on.</param>
    public DeliveryRig(FakeStore? store = null, DeliveryOptions? options = null, ulong runId = 0xabc, IEventStoreSelector? stores = null, ILogger? logger = null, Meter? meter = null, bool isHolder = true)
    {
        _runId = runId;
        Store = store ?? new FakeStore();
        Options = options ?? new DeliveryOptions();
        Stores = stores ?? Lists.One(Store);
        Loop = new DeliveryLoop(Broker, Stores, Ledger, Options, () => Config, Time, logger ?? NullLogger.Instance) { ConfirmTimes = meter is null ? null : new ConfirmTimes(meter, Time) };
        Sink = new EventSink(Ledger, Loop, () => Config);
        if (isHolder) Loop.Hold(1);
    }

    public FakeTimeProvider Time { get; } = new();

    public FakeBroker Broker { get; } = new();

    public FakeStore Store { get; }

    public IEventStoreSelector Stores { get; }

    public DeliveryOptions Options { get; }

    public Ledger Ledger { get; } = new();

    public DeliveryLoop Loop { get; }

    public EventSink Sink { get; }

    public ForwarderConfig Config { get; set; } = new() { Masks = KeyMaskSet.All, Events = EventClass.All };

    /// <summary>Keys of the events given so far are "k0", "k1" ...</summary>
    public int Given => _next;

    public void Give(int count)
    {
        for (var i = 0; i < count; i++, _next++)
        {
            Sink.Received(new EventPosition(_runId, 1, _next + 1), 0, EventClass.String, "set"u8, Encoding.UTF8.GetBytes($"k{_next}"), default, 1000);
        }
    }

    /// <summary>An event of another node than the rig's own.</summary>
    public void GiveOf(ulong runId, int count, string key, string name = "set") =>
        Sink.Received(new EventPosition(runId, 1, count), 0, EventClass.String, Encoding.ASCII.GetBytes(name), Encoding.UTF8.GetBytes(key), default, 1000);

    /// <summary>A first event, of another node, that the broker routes: from here on it is known that there is a queue. The ledger has it, the broker's queue does not.</summary>
    public async Task RouteOneAsync()
    {
        GiveOf(0xfff, 1, "first");
        await SettleAsync();
        Broker.Current!.ConfirmUpTo(1);
        await SettleAsync();
        Broker.Queue.Clear();
    }

    /// <summary>Runs the loop until it has nothing to do at this moment.</summary>
    public async Task SettleAsync()
    {
        for (var round = 0; round < 10_000; round++)
        {
            while (await Loop.StepAsync())
            {
            }

            if (!Loop.Stores.HasSteps && !Loop.Links.IsConnecting) return;

            await Task.WhenAll(Loop.Stores.Running, Loop.Links.Connecting.ContinueWith(static _ => { }, TaskScheduler.Default));
        }

        throw new InvalidOperationException("the delivery loop does not come to rest");
    }

    /// <summary>Some rounds of the loop. Steps that have begun may still be under way.</summary>
    public async Task RoundsAsync()
    {
        for (var round = 0; round < 5; round++)
        {
            while (await Loop.StepAsync())
            {
            }

            await Task.Yield();
        }
    }

    public async Task AdvanceAsync(double seconds)
    {
        Time.Advance(TimeSpan.FromSeconds(seconds));
        await SettleAsync();
    }

    /// <summary>Confirms whatever is published until nothing moves any more.</summary>
    public async Task DrainAsync()
    {
        for (var round = 0; round < 10_000; round++)
        {
            await AdvanceAsync(11);
            if (Broker.Current is { IsClosed: false, Unconfirmed.Count: > 0 } link) link.ConfirmUpTo(link.Unconfirmed.Count);
            else if (Loop.State == DeliveryState.Live && Loop.Memory.IsEmpty && Loop.Stores.IsEmpty) return;
        }

        throw new InvalidOperationException($"events are left over: {Loop.State}, memory {Loop.Memory.Count}, stored {Loop.Stores.Length}, claimed {Loop.Stores.ReadAheadCount}, draining {Loop.Stores.Drain.Count}, unconfirmed {Loop.UnconfirmedCount}, usable {Loop.Links.IsUsable}, unclaimed {Loop.Memory.HasUnclaimed}, known {Loop.Stores.IsKnown}, pending {Loop.Stores.HasAppendPending}, link {Broker.Current?.IsClosed} {Broker.Current?.Unconfirmed.Count}");
    }

    public IEnumerable<string> QueuedKeys => Broker.Queue.Select(m => m.Body[(m.Body.LastIndexOf('\n') + 1)..]);
}
