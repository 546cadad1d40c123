using System.IO.Pipelines;
using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Context;
using KeyEvt.Forwarder.Feed.Handover;
using KeyEvt.Forwarder.Feed.Monitors;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Group;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Signals;

namespace KeyEvt.Forwarder.Feed;

/// <summary>
/// Which steps does one connection go through? Handshake, subscription, then beats with markers until something ends it. The first reason to end
/// counts.
/// </summary>
/// <remarks>
/// Three loops share it: the reader, the writer and the beat. Everything that has a position in the stream happens in the reader. All three have
/// ended before <see cref="RunAsync"/> returns. Owns the pipe.
/// <para>
/// It becomes active when its subscription is confirmed. Until then it changes neither the feed's position in the stream nor the known role of the
/// node. So it can be opened beside another connection that has fallen silent. It replaces that one only if that one still says nothing
/// (<see cref="SilentConnectionCheck"/>).
/// </para>
/// </remarks>
internal sealed class FeedConnection
{
    private readonly FeedContext _feed;
    private readonly IDuplexPipe _pipe;
    private readonly ActiveConnection _place;
    private readonly bool _isSecond;
    private readonly CommandPipeline _commands;
    private readonly NodeLetters _letters = new();
    private readonly PollingIntervals _pace;
    private readonly FeedSubscriptions _subscriptions;
    private readonly NotifyFlagsMonitor _flags;
    private readonly RoleMonitor _roles;
    private readonly MarkerSender _markers;
    private readonly CheckpointKeeper _state;
    private readonly GroupMonitor _group;
    private readonly FrameReader _reader;
    private readonly FeedEnd _end;
    private readonly TaskCompletionSource _subscribed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _flagsSettled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _over = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Written by the handshake, before the subscription is sent; read after that.</summary>
    private NodeIdentity _identity = new("", "", ServerEvents.Newest);

    /// <summary>When the subscription was asked for. Written by the handshake, before that.</summary>
    private ClockReading _askedAt;

    /// <summary>Set at the end of the handshake; from then on other threads may send commands.</summary>
    private volatile bool _isGreeted;

    /// <summary>Written by the beat loop only, with Volatile.Write; read by any thread with Volatile.Read.</summary>
    private long _beats;

    /// <param name="silent">The silent connection that this one is to replace; null if there is none.</param>
    public FeedConnection(FeedContext feed, IDuplexPipe pipe, Func<EventClass> wanted, FeedConnection? silent = null)
    {
        _feed = feed;
        _pipe = pipe;
        _isSecond = silent is not null;
        _end = new FeedEnd(feed.Address, feed.TlsFileNames, () => _reader!.Reads > 0);
        _commands = new CommandPipeline(feed.Time);
        _pace = new PollingIntervals(feed.Options, feed.Time, wanted);
        _subscriptions = new FeedSubscriptions(feed, _commands, _letters, wanted, End, OnSubscribed);
        _flags = new NotifyFlagsMonitor(feed, _commands, _letters, _pace, wanted, OnFlagsSettled);
        var outlet = new RoleConfirmGate(feed, _letters);
        _roles = new RoleMonitor(feed, _commands, outlet, _pace);
        outlet.AskToConfirm = _roles.AskNow;
        _markers = new MarkerSender(feed, _commands);
        _state = new CheckpointKeeper(feed, _commands, wanted, outlet, _flags);
        _group = new GroupMonitor(feed, feed.Group, _commands, _markers, _state, outlet, Pass, () => _flags.IsSettled ? _subscriptions.Heard : null, Check) { OtherJoins = _flags.Check, LackedAtStart = () => _flags.LackedAtStart };
        outlet.Group = _group;
        var stream = new FeedFrameHandler(feed, _commands, _subscriptions, _letters, _roles, _markers, outlet, _state, _pace, _group);
        _markers.Echoed = stream.SaidToSelf;
        _place = new ActiveConnection(feed, _end, stream, _roles, silent?._place) { Reads = () => _reader!.Reads, Changed = ShowInStep };
        _reader = new FrameReader(pipe.Input, stream, feed.Options.MaxFrameBytes, feed.Turn, _place.MayTake);
    }

    public long MarkersSent => _markers.Sent;

    /// <summary>How many beats have passed, and how many commands wait for their answers. For tests.</summary>
    public (long Beats, int Waiting) Pulse => (Volatile.Read(ref _beats), _commands.Waiting);

    /// <summary>
    /// When the subscription was first confirmed and the connection became active; null if it never did. Written once, under
    /// <see cref="FeedContext.Turn"/>; other threads only ask whether it is null.
    /// </summary>
    public ClockReading? SubscribedAt { get; private set; }

    /// <summary>Completes when the subscription is first confirmed.</summary>
    public Task Subscribed => _subscribed.Task;

    /// <summary>Whether the connection is silent.</summary>
    public SilenceDetector Silence => _place.Silence;

    /// <summary>Ends the connection because it is not needed. Any thread.</summary>
    /// <returns>False if it is active already; then it goes on.</returns>
    public bool TryWithdraw() => _place.TryWithdraw();

    /// <summary>Ends the connection. The first reason counts. Any thread.</summary>
    public void End(RedisFault fault) => _end.Set(fault);

    /// <summary>Checks role, flags and subscriptions now: other event classes are wanted, or another node has taken the place of this one. Any thread.</summary>
    public void Check()
    {
        if (!_isGreeted) return; // the handshake will read what is wanted

        lock (_feed.Turn)
        {
            _roles.AskWhenDue(TimeSpan.Zero); // while nothing was wanted the role was asked for rarely
            _flags.Check();
            _subscriptions.Step();
        }
    }

    /// <summary>Asks for the role now. Where it is asked rarely, because nothing is wanted or it is refused, only if that is nearly due. Any thread.</summary>
    public void AskRole()
    {
        if (_isGreeted) _roles.AskWhenDue(_feed.Options.RoleInterval);
    }

    /// <summary>As <see cref="AskRole"/>, unless a question is under way: a thousand sessions that wait at once make one question. Any thread.</summary>
    public void AskRoleOnce()
    {
        if (_isGreeted) _roles.AskOnce(_feed.Options.RoleInterval);
    }

    /// <summary>
    /// Completes when everything has been read that the node sent before it handled a command given now, or when the connection ends. Any thread.
    /// </summary>
    public Task CatchUpAsync(bool isLast = false)
    {
        if (_feed.Options.HasSuccessors) _roles.AskNow();
        if (isLast)
        {
            _state.BeginLast();
            _group.TakeLast(); // the last state says that nobody goes on, so it comes behind this
            _state.TakeLast();
        }

        return Task.WhenAny(_commands.AskAsync("PING"), _over.Task);
    }

    /// <summary>See <see cref="FeedEnding.ConcludeAsync"/>. Any thread.</summary>
    public void Conclude() => _place.Conclude();

    /// <summary>See <see cref="GroupMonitor.ResignAsync"/>. Any thread.</summary>
    public Task ResignAsync() => Task.WhenAny(_group.ResignAsync(), _over.Task);

    /// <summary>See <see cref="GroupMonitor.Say"/>. Any thread.</summary>
    public MessageId? Say(Func<string, long, GroupMessage> message) => _group.Say(message);

    /// <summary>See <see cref="GroupMonitor.Serve"/>. Under <see cref="FeedContext.Turn"/>.</summary>
    public void Serve(IReadOnlyList<Estate> estates) => _group.Serve(estates);

    /// <summary>See <see cref="CheckpointKeeper.KeepAsync"/>. Any thread.</summary>
    public Task KeepStateAsync() => Task.WhenAny(_state.KeepAsync(), _over.Task);

    /// <returns>Why it ended. Only bugs are thrown.</returns>
    public async Task<RedisFault> RunAsync(CancellationToken stop)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var loops = new[]
        {
            _end.GuardAsync(_reader.RunAsync),
            _end.GuardAsync(() => _commands.WriteAsync(_pipe.Output, ending.Token)),
            _end.GuardAsync(() => LiveAsync(ending.Token)),
        };
        await using var stopping = stop.Register(() => End(new RedisFault(RedisFaultKind.Stopped, "stopped"))).ConfigureAwait(false);
        try
        {
            return await _end.Reached.ConfigureAwait(false);
        }
        finally
        {
            await ending.CancelAsync().ConfigureAwait(false);
            _pipe.Input.CancelPendingRead();
            _pipe.Output.CancelPendingFlush();
            await Task.WhenAll(loops).ConfigureAwait(false);
            lock (_feed.Turn)
            {
                _flags.End();
                _group.NoteWhetherAllIsKnown();
            }

            _place.Leave();
            _over.TrySetResult();
            await _pipe.CloseAsync().ConfigureAwait(false);
        }
    }

    private async Task LiveAsync(CancellationToken cancellation)
    {
        try
        {
            var handshake = new FeedHandshake(_feed, _commands);
            _identity = await handshake.GreetAsync(cancellation).ConfigureAwait(false);
            _letters.Identify(_identity.Server);
            new OwedMessage(_feed, _feed.Group, _commands).Say(_feed.RunNumberOf(_identity), _identity.IsCluster);
            if (_isSecond)
            {
                await Task.Delay(_feed.Options.SilenceGrace, _feed.Time, cancellation).ConfigureAwait(false); // if the other connection speaks meanwhile, SilentConnectionCheck ends this one
            }
            else
            {
                ShowIdentity();
            }

            await handshake.LoadedAsync(cancellation).ConfigureAwait(false);
            await SubscribeAsync().WaitAsync(_feed.Options.HandshakeTimeout, _feed.Time, cancellation).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            throw new RedisFaultException(RedisFaultKind.ConnectFailed, $"the node takes longer than {_feed.Options.HandshakeTimeout.TotalSeconds:0.#} s to answer");
        }

        await Task.WhenAll(_end.GuardAsync(() => BeatAsync(cancellation)), _end.GuardAsync(() => TakePartAsync(cancellation))).ConfigureAwait(false); // what ends one ends the other
    }

    private async Task SubscribeAsync()
    {
        await _roles.AskFirstAsync().ConfigureAwait(false);
        if (_feed.Options.NotifyMode != NotifyMode.Off)
        {
            _flags.Check();
            await _flagsSettled.Task.ConfigureAwait(false);
        }

        await _markers.SubscribeAsync(_identity.IsCluster, _feed.RunNumberOf(_identity)).ConfigureAwait(false);
        _isGreeted = true;
        _askedAt = ClockReading.Now(_feed.Time);
        lock (_feed.Turn)
        {
            _group.Asked(_askedAt);
            _subscriptions.Begin();
        }

        await _subscribed.Task.ConfigureAwait(false);
    }

    /// <summary>Asks for role and flags when they are due (<see cref="PollingIntervals"/>). A silent node is asked nothing more.</summary>
    private async Task BeatAsync(CancellationToken cancellation)
    {
        using var timer = new PeriodicTimer(_feed.Options.MarkerInterval, _feed.Time);
        var slack = _feed.Options.MarkerInterval / 2;
        do
        {
            if (_place.IsSilent(isAnswerDue: _commands.Waiting > 0)) continue;

            _pace.Beat();
            _roles.AskWhenDue(slack);
            _flags.CheckWhenDue(slack);
            _subscriptions.RetryWhenDue();
            Volatile.Write(ref _beats, _beats + 1);
        }
        while (await timer.WaitForNextTickAsync(cancellation).ConfigureAwait(false));
    }

    /// <summary>Looks whether something is to be said to the group.</summary>
    private async Task TakePartAsync(CancellationToken cancellation)
    {
        var times = _feed.Group.Times;
        using var timer = new PeriodicTimer(times.LookWhileJoining, _feed.Time);
        while (await timer.WaitForNextTickAsync(cancellation).ConfigureAwait(false))
        {
            timer.Period = _feed.Group.Status.IsKnown ? times.Look : times.LookWhileJoining;
            lock (_feed.Turn)
            {
                if (_place.Counts && !Silence.IsOn) _group.Tick();
            }
        }
    }

    private void Pass(in EventPosition position, int database, ReadOnlySpan<byte> eventName, ReadOnlySpan<byte> key, ReadOnlySpan<byte> fields, long readAt, ReadOnlySpan<byte> marker) =>
        _feed.Sink.Adopted(_feed.Aliases.Of(position), database, _letters.ClassOf(eventName), eventName, key, fields, readAt);

    /// <summary>
    /// Called when the subscription to what is wanted is confirmed. The first time, the connection becomes active. Runs on the read loop, or in the
    /// handshake if nothing is wanted.
    /// </summary>
    private void OnSubscribed()
    {
        lock (_feed.Turn)
        {
            var isFirst = SubscribedAt is null;
            var before = _feed.Mastership;
            if (isFirst && !_place.TryTake(_identity)) return;

            if (isFirst) ShowIdentity();
            _feed.Coverage.Subscribed(_feed.Progress.Published.Position, _feed.Hold.IsReplica, awaitsJudgement: isFirst, _askedAt, isFirst ? HeardBefore(before) : null);
            _state.Subscribed();
            _group.Subscribed();
            if (isFirst) _group.Begin(_feed.RunNumberOf(_identity));
            if (isFirst)
            {
                SubscribedAt = ClockReading.Now(_feed.Time);
                FeedLog.Subscribed(_feed.Logger, _feed.Node, string.Join(' ', _subscriptions.Names), _identity.Server.Name, _roles.Role, _identity.RunId);
                _subscribed.TrySetResult();
            }
        }

        ShowInStep();
    }

    /// <param name="own">Until when this node was heard as a master, before this connection.</param>
    /// <returns>Until when another master was heard whose place the node has taken since; null: nothing of that one is missed.</returns>
    private (ClockReading At, EventPosition Last)? HeardBefore(Mastership? own) =>
        !_feed.Hold.IsHeld && own is not { End: null } && _feed.HeardBefore?.Invoke() is { } other && (own?.End is not { } end || end.At.Timestamp < other.At.Timestamp) ? other : null;

    private void ShowIdentity() =>
        _feed.Board.Change(status => status with { RunId = _identity.RunId, RedisVersion = _identity.Version, Server = _identity.Server.Name, IsCluster = _identity.IsCluster });

    private void OnFlagsSettled()
    {
        _flagsSettled.TrySetResult();
        // Not settled: the node turned out to accept more or fewer letters than its version promises.
        if (!_subscriptions.IsSettled) _subscriptions.Step();
        if (SubscribedAt is not null && _place.Counts)
        {
            _state.Subscribed();
            _group.Subscribed();
        }

        ShowInStep();
    }

    /// <summary>Shows the state of the connection, but only while it is the active one.</summary>
    private void ShowInStep()
    {
        lock (_feed.Turn)
        {
            if (SubscribedAt is not { } since || !_place.Counts) return;

            _feed.Board.Change(status => status with
            {
                State = Silence.IsOn ? FeedState.Silent : _feed.Hold.IsHeld ? FeedState.HeldBack : FeedState.Subscribed,
                IsInStep = _flags.IsSettled && _subscriptions.IsSettled,
                Patterns = _subscriptions.Names,
                SubscribedAt = since.Wall,
            });
        }
    }
}
