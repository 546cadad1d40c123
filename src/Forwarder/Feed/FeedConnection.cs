using System.IO.Pipelines;
using System.Net.Sockets;
using KeyEvt.Forwarder.Tls;

namespace KeyEvt.Forwarder.Feed;

/// <summary>What is the life of one connection? Handshake, subscription, then a marker a beat until something ends it; the first reason wins.</summary>
/// <remarks>
/// Three loops share it: the reader (all that has a place in the stream happens there), the writer, and the beat. They are all over
/// before <see cref="RunAsync"/> returns. Owns the pipe.
/// </remarks>
internal sealed class FeedConnection
{
    private readonly FeedContext _feed;
    private readonly IDuplexPipe _pipe;
    private readonly FeedCommands _commands;
    private readonly FeedSubscriptions _subscriptions;
    private readonly FlagKeeper _flags;
    private readonly RoleKeeper _roles;
    private readonly MarkerSender _markers;
    private readonly StateKeeper _state;
    private readonly FrameReader _reader;
    private readonly TaskCompletionSource<FeedFault> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _subscribed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _flagsSettled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _over = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private NodeIdentity _identity = new("", "");
    private volatile bool _isGreeted;

    public FeedConnection(FeedContext feed, IDuplexPipe pipe, Func<EventClass> wanted)
    {
        _feed = feed;
        _pipe = pipe;
        _commands = new FeedCommands(feed.Time);
        _subscriptions = new FeedSubscriptions(feed, _commands, wanted, fault => _end.TrySetResult(fault), OnSubscribed);
        _flags = new FlagKeeper(feed, _commands, wanted, OnFlagsSettled);
        var outlet = new EventOutlet(feed);
        _roles = new RoleKeeper(feed, _commands, outlet);
        outlet.AskToConfirm = _roles.AskNow;
        _markers = new MarkerSender(feed, _commands);
        _state = new StateKeeper(feed, _commands, wanted, outlet, _markers, _flags);
        _reader = new FrameReader(pipe.Input, new FeedStream(feed, _commands, _subscriptions, _roles, _markers, outlet, _state), feed.Options.MaxFrameBytes);
    }

    public long MarkersSent => _markers.Sent;

    /// <summary>When the subscription was first confirmed; null when it never was.</summary>
    public Moment? SubscribedAt { get; private set; }

    /// <summary>What is wanted has changed. Any thread.</summary>
    public void WantChanged()
    {
        if (!_isGreeted)
            return; // the handshake asks for it

        _flags.Check();
        _subscriptions.Step();
        ShowInStep();
    }

    /// <summary>Asks for the role now. Any thread.</summary>
    public void AskRole()
    {
        if (_isGreeted)
            _roles.AskWhenDue(_feed.Options.RoleInterval);
    }

    /// <summary>Ends when what the node sent before it handled a command given now has been read, or when the connection ends. Any thread.</summary>
    public Task CatchUpAsync(bool isLast = false)
    {
        if (_feed.Options.HasSuccessors)
            _roles.AskNow();
        if (isLast)
            _state.TakeLast();
        return Task.WhenAny(_commands.AskAsync("PING"), _over.Task);
    }

    /// <summary>See <see cref="StateKeeper.KeepAsync"/>. Any thread.</summary>
    public Task KeepStateAsync() => Task.WhenAny(_state.KeepAsync(), _over.Task);

    /// <returns>Why it ended. Throws only what is a fault of the program.</returns>
    public async Task<FeedFault> RunAsync(CancellationToken stop)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var loops = new[]
        {
            GuardAsync(_reader.RunAsync),
            GuardAsync(() => _commands.WriteAsync(_pipe.Output, ending.Token)),
            GuardAsync(() => LiveAsync(ending.Token)),
        };
        await using var stopping = stop.Register(() => _end.TrySetResult(new FeedFault(FeedFaultKind.Stopped, "stopped"))).ConfigureAwait(false);
        try
        {
            return await _end.Task.ConfigureAwait(false);
        }
        finally
        {
            await ending.CancelAsync().ConfigureAwait(false);
            _pipe.Input.CancelPendingRead();
            _pipe.Output.CancelPendingFlush();
            await Task.WhenAll(loops).ConfigureAwait(false);
            _roles.End();
            _flags.End();
            _over.TrySetResult();
            await CloseAsync().ConfigureAwait(false);
        }
    }

    private async Task LiveAsync(CancellationToken cancellation)
    {
        try
        {
            await SubscribeAsync().WaitAsync(_feed.Options.HandshakeTimeout, _feed.Time, cancellation).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            throw new FeedFaultException(FeedFaultKind.ConnectFailed, $"the node takes longer than {_feed.Options.HandshakeTimeout.TotalSeconds:0.#} s to answer");
        }

        await BeatAsync(cancellation).ConfigureAwait(false);
    }

    private async Task SubscribeAsync()
    {
        _identity = await new FeedHandshake(_feed, _commands).GreetAsync().ConfigureAwait(false);
        _feed.Board.Change(status => status with { RunId = _identity.RunId, RedisVersion = _identity.Version, IsCluster = _identity.IsCluster });
        await _roles.AskFirstAsync().ConfigureAwait(false);
        if (_feed.Options.NotifyMode != NotifyMode.Off)
        {
            _flags.Check();
            await _flagsSettled.Task.ConfigureAwait(false);
        }

        await _markers.SubscribeAsync(_identity.RunNumber(_feed.Markers.Nonce), _identity.IsCluster).ConfigureAwait(false);
        _isGreeted = true;
        _subscriptions.Begin();
        await _subscribed.Task.ConfigureAwait(false);
    }

    /// <summary>A marker a beat; role and flags when they are due.</summary>
    private async Task BeatAsync(CancellationToken cancellation)
    {
        using var timer = new PeriodicTimer(_feed.Options.MarkerInterval, _feed.Time);
        var silence = new FeedSilence(_feed.Options);
        var slack = _feed.Options.MarkerInterval / 2;
        do
        {
            silence.Beat(_reader.Reads, _commands.Waiting > 0);
            _markers.Send();
            _roles.AskWhenDue(slack);
            _flags.CheckWhenDue(slack);
        }
        while (await timer.WaitForNextTickAsync(cancellation).ConfigureAwait(false));
    }

    private void OnFlagsSettled()
    {
        _flagsSettled.TrySetResult();
        ShowInStep();
    }

    private void OnSubscribed()
    {
        _feed.Coverage.Subscribed(_feed.Progress.Published.Position, _feed.Hold.IsReplica);
        _state.Subscribed();
        if (SubscribedAt is null)
        {
            SubscribedAt = Moment.Now(_feed.Time);
            FeedLog.Subscribed(_feed.Logger, _feed.Node, string.Join(' ', _subscriptions.Names), _identity.Version, _roles.Role, _identity.RunId);
            _subscribed.TrySetResult();
        }

        ShowInStep();
    }

    private void ShowInStep() => _feed.Board.Change(status => status with
    {
        State = SubscribedAt is null ? FeedState.Connecting : _feed.Hold.IsHeld ? FeedState.HeldBack : FeedState.Subscribed,
        IsInStep = SubscribedAt is not null && _flags.IsSettled && _subscriptions.IsSettled,
        Patterns = _subscriptions.Names,
        SubscribedAt = SubscribedAt?.Wall,
    });

    /// <summary>Runs a loop to its end and says how it ended, unless another one has said so already.</summary>
    private async Task GuardAsync(Func<Task> loop)
    {
        try
        {
            await loop().ConfigureAwait(false);
            _end.TrySetResult(new FeedFault(FeedFaultKind.Closed, "the server closed the connection (restart, CLIENT KILL, an ACL change, or its client-output-buffer-limit)"));
        }
        catch (FeedFaultException e)
        {
            _end.TrySetResult(e.Fault);
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or System.Security.Authentication.AuthenticationException)
        {
            _end.TrySetResult(new FeedFault(FeedFaultKind.Closed, $"the connection broke: {BreakOf(e)}"));
        }
        catch (Exception e)
        {
            _end.TrySetException(e);
        }
    }

    /// <summary>With TLS 1.3 the node judges the client certificate after the handshake: its refusal is the first thing that is read.</summary>
    private string BreakOf(Exception error) =>
        (_feed.Options.Address.IsTls ? HandshakeFault.Describe(error, _feed.Options.TlsFiles) : null) ?? FeedText.Clean(error.Message);

    private async Task CloseAsync()
    {
        await _pipe.Input.CompleteAsync().ConfigureAwait(false);
        try
        {
            await _pipe.Output.CompleteAsync().ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or SocketException or InvalidOperationException)
        {
            // Completing a writer over TLS sends what is left; the node may be gone, which the reading side has said.
        }

        if (_pipe is IAsyncDisposable asyncDisposable)
            await asyncDisposable.DisposeAsync().ConfigureAwait(false);
        else
            (_pipe as IDisposable)?.Dispose();
    }
}
