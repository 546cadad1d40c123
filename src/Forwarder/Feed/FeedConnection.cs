using System.IO.Pipelines;
using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Context;
using KeyEvt.Forwarder.Feed.Monitors;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Signals;

namespace KeyEvt.Forwarder.Feed;

/// <summary>What is the life of one connection? Handshake, subscription, then a beat with markers until something ends it; the first reason wins.</summary>
/// <remarks>
/// Three loops share it: the reader (all that has a place in the stream happens there), the writer, and the beat. They are all over
/// before <see cref="RunAsync"/> returns. Owns the pipe.
/// <para>
/// It counts from the confirmation of its subscription on. Until then it moves neither the feed's place in the stream nor what is known of the node's role, so that it
/// can be made beside another one that has fallen silent, and takes that one's place only if that one still says nothing (<see cref="SilentConnectionCheck"/>).
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
    private readonly FrameReader _reader;
    private readonly FeedEnd _end;
    private readonly TaskCompletionSource _subscribed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _flagsSettled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _over = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private NodeIdentity _identity = new("", "", ServerEvents.Newest);
    private volatile bool _isGreeted;
    private long _beats;

    /// <param name="silent">The connection whose place it is to take; null: there is none.</param>
    public FeedConnection(FeedContext feed, IDuplexPipe pipe, Func<EventClass> wanted, FeedConnection? silent = null)
    {
        _feed = feed;
        _pipe = pipe;
        _isSecond = silent is not null;
        _end = new FeedEnd(feed.Address, feed.TlsFiles, () => _reader!.Reads > 0);
        _commands = new CommandPipeline(feed.Time);
        _pace = new PollingIntervals(feed.Options, feed.Time, wanted);
        _subscriptions = new FeedSubscriptions(feed, _commands, _letters, wanted, End, OnSubscribed);
        _flags = new NotifyFlagsMonitor(feed, _commands, _letters, _pace, wanted, OnFlagsSettled);
        var outlet = new RoleConfirmGate(feed, _letters);
        _roles = new RoleMonitor(feed, _commands, outlet, _pace);
        outlet.AskToConfirm = _roles.AskNow;
        _markers = new MarkerSender(feed, _commands, _pace);
        _state = new CheckpointKeeper(feed, _commands, wanted, outlet, _markers, _flags);
        var stream = new FeedFrameHandler(feed, _commands, _subscriptions, _letters, _roles, _markers, outlet, _state, _pace);
        _place = new ActiveConnection(feed, _end, stream, _roles, silent?._place) { Reads = () => _reader!.Reads, Changed = ShowInStep };
        _reader = new FrameReader(pipe.Input, stream, feed.Options.MaxFrameBytes, feed.Turn, _place.MayTake);
    }

    public long MarkersSent => _markers.Sent;

    /// <summary>So many beats have passed, and so many commands wait for their answers.</summary>
    public (long Beats, int Waiting) Pulse => (Volatile.Read(ref _beats), _commands.Waiting);

    /// <summary>When the subscription was first confirmed, and the connection began to count; null when it never did.</summary>
    public ClockReading? SubscribedAt { get; private set; }

    /// <summary>Completes then.</summary>
    public Task Subscribed => _subscribed.Task;

    /// <summary>Whether it says anything.</summary>
    public SilenceDetector Silence => _place.Silence;

    /// <summary>It is not needed. Any thread.</summary>
    /// <returns>False: it counts already, and goes on.</returns>
    public bool TryWithdraw() => _place.TryWithdraw();

    /// <summary>The first reason counts. Any thread.</summary>
    public void End(RedisFault fault) => _end.Set(fault);

    /// <summary>What is wanted has changed. Any thread.</summary>
    public void WantChanged()
    {
        if (!_isGreeted) return; // the handshake asks for it

        lock (_feed.Turn)
        {
            _roles.AskWhenDue(TimeSpan.Zero); // while nothing was wanted it was asked rarely
            _flags.Check();
            _subscriptions.Step();
            ShowInStep();
        }
    }

    /// <summary>Asks for the role now. Any thread.</summary>
    public void AskRole()
    {
        if (_isGreeted) _roles.AskWhenDue(_feed.Options.RoleInterval);
    }

    /// <summary>Ends when what the node sent before it handled a command given now has been read, or when the connection ends. Any thread.</summary>
    public Task CatchUpAsync(bool isLast = false)
    {
        if (_feed.Options.HasSuccessors) _roles.AskNow();
        if (isLast) _state.TakeLast();
        return Task.WhenAny(_commands.AskAsync("PING"), _over.Task);
    }

    /// <summary>See <see cref="NodeFeed.ConcludeAsync"/>. Any thread.</summary>
    public void Conclude() => _place.Conclude();

    /// <summary>See <see cref="CheckpointKeeper.KeepAsync"/>. Any thread.</summary>
    public Task KeepStateAsync() => Task.WhenAny(_state.KeepAsync(), _over.Task);

    /// <returns>Why it ended. Throws only what is a fault of the program.</returns>
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
            lock (_feed.Turn) _flags.End();
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
            if (_isSecond)
            {
                await Task.Delay(_feed.Options.SilenceGrace, _feed.Time, cancellation).ConfigureAwait(false); // whoever made this one ends it when the other one speaks
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

        await BeatAsync(cancellation).ConfigureAwait(false);
    }

    private async Task SubscribeAsync()
    {
        await _roles.AskFirstAsync().ConfigureAwait(false);
        if (_feed.Options.NotifyMode != NotifyMode.Off)
        {
            _flags.Check();
            await _flagsSettled.Task.ConfigureAwait(false);
        }

        await _markers.SubscribeAsync(_identity.IsCluster).ConfigureAwait(false);
        _isGreeted = true;
        lock (_feed.Turn) _subscriptions.Begin();
        await _subscribed.Task.ConfigureAwait(false);
    }

    /// <summary>Markers, role and flags when they are due (<see cref="PollingIntervals"/>). Nothing more is asked of a node that is silent.</summary>
    private async Task BeatAsync(CancellationToken cancellation)
    {
        using var timer = new PeriodicTimer(_feed.Options.MarkerInterval, _feed.Time);
        var slack = _feed.Options.MarkerInterval / 2;
        do
        {
            if (_place.IsSilent(isAnswerDue: _commands.Waiting > 0)) continue;

            _pace.Beat();
            _markers.Send(slack);
            _roles.AskWhenDue(slack);
            _flags.CheckWhenDue(slack);
            _subscriptions.RetryWhenDue();
            Volatile.Write(ref _beats, _beats + 1);
        }
        while (await timer.WaitForNextTickAsync(cancellation).ConfigureAwait(false));
    }

    /// <summary>
    /// The subscription to what is wanted is confirmed; the first time, the connection begins to count. On the read loop, or in the handshake where nothing is wanted.
    /// </summary>
    private void OnSubscribed()
    {
        lock (_feed.Turn)
        {
            var isFirst = SubscribedAt is null;
            if (isFirst && !_place.TryTake(_identity)) return;

            if (isFirst) ShowIdentity();
            _feed.Coverage.Subscribed(_feed.Progress.Published.Position, _feed.Hold.IsReplica);
            _state.Subscribed();
            if (isFirst)
            {
                SubscribedAt = ClockReading.Now(_feed.Time);
                FeedLog.Subscribed(_feed.Logger, _feed.Node, string.Join(' ', _subscriptions.Names), _identity.Server.Name, _roles.Role, _identity.RunId);
                _subscribed.TrySetResult();
            }
        }

        ShowInStep();
    }

    private void ShowIdentity() =>
        _feed.Board.Change(status => status with { RunId = _identity.RunId, RedisVersion = _identity.Version, Server = _identity.Server.Name, IsCluster = _identity.IsCluster });

    private void OnFlagsSettled()
    {
        _flagsSettled.TrySetResult();
        if (!_subscriptions.IsSettled) _subscriptions.Step(); // the node takes more, or less, than its version promises
        ShowInStep();
    }

    /// <summary>Nothing of a connection that does not count yet, or no longer.</summary>
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
