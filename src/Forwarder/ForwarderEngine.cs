using System.Diagnostics.Metrics;
using KeyEvt.Forwarder.Amqp;
using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Delivery;
using KeyEvt.Forwarder.Delivery.Publishing;
using KeyEvt.Forwarder.Fallback.Lists;
using KeyEvt.Forwarder.Fallback.Spool;
using KeyEvt.Forwarder.Feed.Context;
using KeyEvt.Forwarder.Feed.Coverage;
using KeyEvt.Forwarder.Intake;
using KeyEvt.Forwarder.Membership;
using KeyEvt.Forwarder.Outbox;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Signals;
using KeyEvt.Forwarder.Tls;
using KeyEvt.Forwarder.Topology;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Forwarder;

/// <summary>
/// In which order do feeds, delivery and fallback storage start and stop? Delivery starts before the feeds, so that the first event can be delivered.
/// At the end the caller ends the sessions, then the feeds stop, and then delivery, after it has emptied itself.
/// </summary>
public sealed class ForwarderEngine : IAsyncDisposable
{
    private static readonly TimeSpan DisposeDeadline = TimeSpan.FromSeconds(1.5);

    private readonly TopologyWatcher _topology;
    private readonly FeedSet _feeds;
    private readonly DeliveryLoop _delivery;
    private readonly EventSink _sink;
    private readonly UpstreamDatabase _database;
    private readonly LocalSpool? _spool;
    private readonly TimeProvider _time;
    private readonly BackgroundTasks _background;
    private readonly ILogger _logger;
    private readonly GroupSharing _group;
    private readonly GapPublisher _gaps;
    private Task _deliveryRun = Task.CompletedTask;

    /// <exception cref="IOException">The spool directory cannot be used.</exception>
    /// <param name="upstreamTls">TLS for <c>rediss://</c>.</param>
    /// <param name="amqpTls">TLS for <c>amqps://</c>.</param>
    /// <param name="meters">Owns the meter that all instruments of the engine belong to.</param>
    public ForwarderEngine(ForwarderOptions options, TlsClient upstreamTls, TlsClient amqpTls, IMeterFactory meters, TimeProvider time, ILoggerFactory loggers)
        : this(options, upstreamTls, amqpTls, meters, time, loggers, null)
    {
    }

    /// <param name="around">Null: the engine opens sockets.</param>
    internal ForwarderEngine(ForwarderOptions options, TlsClient upstreamTls, TlsClient amqpTls, IMeterFactory meters, TimeProvider time, ILoggerFactory loggers, EngineSurroundings? around)
    {
        var meter = meters.Create(ForwarderMetrics.MeterName);
        _time = time;
        var logger = _logger = loggers.CreateLogger("KeyEvt.Forwarder");
        var background = _background = new BackgroundTasks(logger);
        var current = new CurrentConfig(options.Initial);
        Ledger = new Ledger();
        Gaps = new GapLog();
        var transport = around?.Redis ?? new SocketRedisTransport(time, upstreamTls);
        _topology = new TopologyWatcher(options.Upstream, transport, time, logger);
        FeedSet? feeds = null; // created last, because it needs all the others
        GroupDuties? duties = null;
        _database = new UpstreamDatabase(options.Upstream, _topology, () => feeds?.Master, upstreamTls, $"keyevt-fallback-{options.Instance}", background, time, logger, around?.Lists);
        _spool = options.Delivery.Spool is { } directory ? new LocalSpool(directory, logger) : null;
        var stores = StoreSelection.Of(options, _topology, () => feeds, () => duties!, _database, _spool, logger);

        var connector = around?.Broker ?? new AmqpConnector($"keyevt-{options.Instance}", amqpTls, new QueueDeclaration(options.PublishGaps, logger), background, time, logger);
        _delivery = new DeliveryLoop(connector, stores, Ledger, options.Delivery, () => current.Value, time, logger) { ConfirmTimes = new ConfirmTimes(meter, time) };
        duties = new GroupDuties(_delivery);
        var sink = _sink = new EventSink(Ledger, _delivery, () => current.Value, () => current.Former);
        var shelf = options.StateKey is { } key ? new CheckpointRegistry(key, options.GroupName) { Begun = time.GetUtcNow() } : null;
        _gaps = new GapPublisher(Ledger, _delivery, options.Instance, node => feeds is null ? true : feeds.MayDeclare(node), shelf, time);
        if (options.PublishGaps) Gaps.Closed += _gaps.Publish;
        _group = new GroupSharing(options, current, _database, _delivery, duties, () => feeds, background, time, logger);
        Coverage = new CoverageGateRegistry(options.CoverageWait, time, logger) { AreEventsOff = () => _delivery.State == DeliveryState.Stopped };
        feeds = _feeds = new FeedSet(
            _topology, options.Feed with { MayBeAlone = options.Group is null }, sink, Gaps, time, logger, transport, _group.Membership, Coverage, shelf, options.Instance);
        _topology.KnowCluster(() => feeds.IsInCluster);
        _feeds.Want(options.Initial.Wanted);
        LedgerMetrics.Add(meter, Ledger);
        _ = new FeedMetrics(meter, _feeds, _topology, () => _topology.LastFault, Gaps, time);
        GroupMetrics.Add(meter, _feeds);
        CoverageMetrics.Add(meter, Coverage);
        BrokerMetrics.Add(meter, _delivery);
        StoreMetrics.Add(meter, _delivery, _spool, () => current.Value.FallbackStorageSize);
        ForwarderMetrics.AddBackground(meter, background);
        var upstream = new UpstreamReport(options.Upstream, _topology, _feeds, Coverage, Gaps, time);
        var report = new InfoReport(current, upstream, new GroupReport(options.GroupName, _feeds, time), _delivery, _spool, Ledger, Gaps, background, time);
        Control = _group.ControlWith(report);
    }

    public IForwarderControl Control { get; }

    public Ledger Ledger { get; }

    public GapLog Gaps { get; }

    /// <summary>Whether sessions must wait until the events of their node are heard.</summary>
    public CoverageGateRegistry Coverage { get; }

    /// <summary>Which nodes there are. Sessions use it too.</summary>
    public ITopology Topology => _topology;

    /// <summary>What is missing before events of every master are heard; one line each.</summary>
    public IReadOnlyList<string> MissingFeeds() => FeedReadiness.Missing(_topology, _feeds);

    /// <summary>Which of the wanted events a server cannot send, although all others are forwarded. One line each.</summary>
    public IReadOnlyList<string> FeedNotes() => FeedReadiness.Notes(_feeds);

    /// <summary>Faults if a loop ends because of a bug; the program should then end. Set by <see cref="Start"/>.</summary>
    public Task Completion { get; private set; } = Task.CompletedTask;

    /// <summary>
    /// Starts everything and returns at once. The connection to the broker is opened if events are wanted, or a queue is to be declared.
    /// </summary>
    public void Start()
    {
        _deliveryRun = Task.Run(_delivery.RunAsync);
        _topology.Start();
        Task[] loops = [_deliveryRun, _feeds.Completion, _topology.Completion, _group.Start(_feeds.Start)];
        Completion = Task.WhenAny(loops).Unwrap();
    }

    /// <summary>
    /// Reads what Redis has sent for all commands that it has acknowledged, and then accepts nothing more from the feeds. Waits until every event is
    /// confirmed or stored, and stores in Redis how far the streams have been read. Returns how many events could be neither confirmed nor stored.
    /// </summary>
    public async Task<long> StopAsync(TimeSpan deadline)
    {
        var begun = _time.GetTimestamp();
        var last = deadline / 10; // for each of the last two steps
        await WithinAsync("reading what Redis has sent", deadline / 4, () => _feeds.CatchUpAsync(deadline / 5)).ConfigureAwait(false);
        _gaps.Flush();
        _sink.Close();
        var left = deadline - _time.GetElapsedTime(begun) - (2 * last);
        var lost = await _delivery.StopAsync(left > deadline / 2 ? left : deadline / 2, _deliveryRun).ConfigureAwait(false);
        if (lost == 0)
        {
            await WithinAsync("keeping how far the events have come", last, () => _feeds.KeepStatesAsync(last * 0.8)).ConfigureAwait(false);
        }

        await WithinAsync("letting another member of the group go on", last, () => _feeds.ResignAsync(last * 0.8)).ConfigureAwait(false);
        await WithinAsync("the feeds", last, () => _feeds.DisposeAsync().AsTask()).ConfigureAwait(false);
        return lost;
    }

    public async ValueTask DisposeAsync()
    {
        _group.Stop();
        await Task.WhenAll(
            WithinAsync("the feed", DisposeDeadline, () => _feeds.DisposeAsync().AsTask()),
            WithinAsync("the look at the topology", DisposeDeadline, () => _topology.DisposeAsync().AsTask()),
            WithinAsync("the fallback storage", DisposeDeadline, () => _database.DisposeAsync().AsTask())).ConfigureAwait(false);
        _spool?.Dispose();
    }

    /// <summary>Runs one step of stopping. If it does not end in time, that is logged, and the next step begins.</summary>
    private async Task WithinAsync(string part, TimeSpan deadline, Func<Task> step)
    {
        var ending = step();
        try
        {
            await ending.WaitAsync(deadline, _time).ConfigureAwait(false);
        }
        catch (TimeoutException) when (!ending.IsCompleted)
        {
            ForwarderLog.PartOverdue(_logger, part, deadline.TotalSeconds);
            _background.GiveUp($"the end of {part}", ending);
        }
    }
}
