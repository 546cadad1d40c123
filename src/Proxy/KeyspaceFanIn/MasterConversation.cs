using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using KeyEvt.Forwarder.Topology;
using KeyEvt.Proxy.Transport;
using KeyEvt.Resp;
using KeyEvt.Resp.Replies;

namespace KeyEvt.Proxy.KeyspaceFanIn;

/// <summary>
/// What is said on one connection to another master?
/// <code>
/// AUTH ...                                 if there is a password; nothing more is sent before its answer: some servers do not answer a failed AUTH in a pipeline
/// PING                                     until it is not answered by -LOADING: a node that loads its AOF publishes what it replays, and accepts subscribers
/// meanwhile
/// (P)SUBSCRIBE / (P)UNSUBSCRIBE name ...   what has changed since the last time
/// PING version                             its answer comes behind those of the subscriptions: they are in force
/// </code>
/// One loop reads and writes, and it alone uses the fields that are not volatile. Whoever wants something from it (names have changed, a tick) wakes its read,
/// and it looks what is to be done. A node that says nothing may be busy. So the connection is given up only if the node answers another connection
/// (<see cref="MasterWitness"/>) and still says nothing on this one, or after some minutes.
/// </summary>
/// <param name="answered">Called with the version of the names that is in force.</param>
internal sealed class MasterConversation(IConnection connection, TopologyNode node, FanInStream stream, FanInHub services, Action<long> answered)
{
    /// <summary>How often the node is asked whether it is there. If an answer is overdue at the next tick, the node is asked over another connection.</summary>
    private static readonly TimeSpan AskEvery = TimeSpan.FromSeconds(5);

    /// <summary>How long this connection may still bring nothing after the node has answered another one.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromMilliseconds(500);

    /// <summary>A node that answers nobody for this long is given up.</summary>
    private static readonly TimeSpan SilenceLimit = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan LoadingInterval = TimeSpan.FromMilliseconds(50);

    private readonly PipeReader _input = connection.Input;
    private readonly PipeWriter _output = connection.Output;
    private RespReplyFramer _framer;

    /// <summary>How many bytes at the end of the buffer the framer has already seen: the beginning of a frame.</summary>
    private long _framed;

    /// <summary>The login has been accepted, or none is needed.</summary>
    private bool _isIn;

    /// <summary>The node has loaded its data, as far as it says.</summary>
    private bool _isLoaded;

    /// <summary>The node said that it is loading. It is asked again when <see cref="_isWaitOver"/> is set.</summary>
    private bool _isLoading;

    /// <summary>Set by the timer that <see cref="AskWhetherLoaded"/> starts; cleared by the loop.</summary>
    private volatile bool _isWaitOver;

    /// <summary>The names that the node was last asked to subscribe to.</summary>
    private FanInNameSet _asked = FanInNameSet.None with { Version = -1 };

    /// <summary>Set by the timer of <see cref="AskEvery"/>; cleared by the loop.</summary>
    private volatile bool _tick;

    /// <summary>A PING or the login has been sent and not answered yet.</summary>
    private bool _isAsked;

    /// <summary>For how many ticks an answer has been overdue without a byte having come.</summary>
    private int _ticksLate;

    /// <summary>The node has answered another connection, and the grace has passed. Set by the task <see cref="_witness"/>, cleared by the loop.</summary>
    private volatile bool _isWitnessed;
    private Task _witness = Task.CompletedTask;

    /// <summary>A subscription was refused. It is tried again at each tick, as the rights may have been given meanwhile.</summary>
    private bool _isRefused;

    public void Wake() => _input.CancelPendingRead();

    /// <summary>Talks to the node until the connection is lost.</summary>
    /// <exception cref="IOException">The connection is lost.</exception>
    /// <exception cref="RespProtocolException">The node sends something that is not RESP.</exception>
    public async Task RunAsync()
    {
        await using var ticks = services.Time.CreateTimer(_ => Tick(), null, AskEvery, AskEvery);
        await using var waits = services.Time.CreateTimer(_ => EndWait(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        using var end = new CancellationTokenSource();
        try
        {
            await FollowAsync(waits, end.Token).ConfigureAwait(false);
        }
        finally
        {
            await end.CancelAsync().ConfigureAwait(false);
            await _witness.ConfigureAwait(false);
        }
    }

    private async Task FollowAsync(ITimer waits, CancellationToken end)
    {
        LogIn();
        while (true)
        {
            if (_tick) Ask(end);
            if (_isLoaded) Subscribe();
            else if (_isIn) AskWhetherLoaded(waits);
            if (!await _output.TryFlushAsync().ConfigureAwait(false)) throw new IOException("the node takes no more");
            var read = await _input.ReadAsync(CancellationToken.None).ConfigureAwait(false); // not cancelled: whoever ends the conversation ends this read
            if (!read.Buffer.IsEmpty && read.Buffer.Length > _framed) _ticksLate = 0; // any bytes count as a sign of the node
            else if (_isWitnessed && _ticksLate > 0) throw new IOException("it answers others, and nothing comes on this connection");
            _isWitnessed = false;
            var rest = ReadFrames(read.Buffer);
            _input.AdvanceTo(rest, read.Buffer.End);
            stream.Inbox.Signal();
            if (read.IsCompleted) throw new IOException("the node has closed the connection");
        }
    }

    private void Tick()
    {
        _tick = true;
        Wake();
    }

    private void EndWait()
    {
        _isWaitOver = true;
        Wake();
    }

    private void LogIn()
    {
        var (user, password) = (node.Address.User, node.Address.Password?.ForLogin());
        _isIn = user is null && password is null;
        if (_isIn) return;
        if (user is null) Send("AUTH"u8, Encoding.UTF8.GetBytes(password!));
        else RespWriter.WriteCommand(_output, "AUTH"u8, Encoding.UTF8.GetBytes(user), Encoding.UTF8.GetBytes(password ?? ""));
        _isAsked = true;
    }

    private void Ask(CancellationToken end)
    {
        _tick = false;
        if (_isAsked)
        {
            if (++_ticksLate * AskEvery >= SilenceLimit) throw new IOException($"no answer for {SilenceLimit.TotalMinutes} minutes");
            if (_witness.IsCompleted) _witness = FindWitnessAsync(end);
            return;
        }

        if (!_isLoaded) return;
        if (_isRefused) _asked = FanInNameSet.None with { Version = -1 };
        else Ping();
    }

    /// <summary>Asks the node over another connection. Ends within the connect timeout and the grace, and when the conversation ends.</summary>
    private async Task FindWitnessAsync(CancellationToken end)
    {
        try
        {
            if (!await services.Witness.AnswersAsync(TransportAddress.Of(node.Address)).WaitAsync(end).ConfigureAwait(false)) return;
            await Task.Delay(Grace, services.Time, end).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return;
        }

        _isWitnessed = true;
        Wake();
    }

    /// <summary>Asks at once, and again some milliseconds after each answer that the node is loading.</summary>
    private void AskWhetherLoaded(ITimer waits)
    {
        if (_isAsked) return;
        if (_isLoading && !_isWaitOver)
        {
            waits.Change(LoadingInterval, Timeout.InfiniteTimeSpan);
            return;
        }

        (_isLoading, _isWaitOver, _isAsked) = (false, false, true);
        RespWriter.WriteCommand(_output, "PING"u8);
    }

    /// <summary>Sends what has changed in the names since the last time.</summary>
    private void Subscribe()
    {
        var (now, before) = (stream.Names, _asked);
        if (now.Version == before.Version) return;
        _asked = now;
        _isRefused = false;
        foreach (var (key, name) in now.ByKey)
        {
            if (!before.ByKey.ContainsKey(key)) Send(name.IsPattern ? "PSUBSCRIBE"u8 : "SUBSCRIBE"u8, name.Name.Span);
        }

        foreach (var (key, name) in before.ByKey)
        {
            if (!now.ByKey.ContainsKey(key)) Send(name.IsPattern ? "PUNSUBSCRIBE"u8 : "UNSUBSCRIBE"u8, name.Name.Span);
        }

        Ping();
    }

    private void Ping()
    {
        _isAsked = true;
        Send("PING"u8, Encoding.ASCII.GetBytes(_asked.Version.ToString(CultureInfo.InvariantCulture)));
    }

    private void Send(ReadOnlySpan<byte> name, ReadOnlySpan<byte> argument) => RespWriter.WriteCommand(_output, name, argument);

    /// <summary>Takes all whole frames. Returns where a frame begins that has not come whole.</summary>
    private SequencePosition ReadFrames(in ReadOnlySequence<byte> buffer)
    {
        var start = buffer.Start;
        var unframed = buffer.Slice(_framed);
        while (!unframed.IsEmpty)
        {
            var span = unframed.FirstSpan;
            var ended = _framer.TryAdvance(span, out var consumed);
            unframed = unframed.Slice(consumed);
            if (!ended) continue;
            TakeFrame(buffer.Slice(start, unframed.Start));
            start = unframed.Start;
            _framer = default;
        }

        _framed = buffer.Slice(start).Length;
        if (_framed > NotificationInbox.MaxBytes) throw new IOException($"a message is larger than {NotificationInbox.MaxBytes} bytes");
        return start;
    }

    private void TakeFrame(in ReadOnlySequence<byte> sequence)
    {
        var frame = sequence.IsSingleSegment ? sequence.FirstSpan : sequence.ToArray();
        if (_isIn && !_isLoaded)
        {
            // An error of any other kind, as where PING is refused, tells nothing about loading. The node then counts as loaded.
            _isLoading = frame[0] == '-' && Encoding.ASCII.GetString(new RespReplyReader(frame).ReadError()).StartsWith("LOADING", StringComparison.Ordinal);
            _isLoaded = !_isLoading;
            IsThere();
            return;
        }

        if (frame[0] == '-')
        {
            TakeError(Encoding.ASCII.GetString(new RespReplyReader(frame).ReadError()).Split(' ')[0]);
            return;
        }

        if (!_isIn)
        {
            _isIn = true; // +OK
            IsThere();
            return;
        }

        var said = PubSubFrame.Read(frame);
        if (said.IsMessage) stream.Deliver(said, frame);
        else if (said.Kind == PubSubKind.Pong) Answered(said.Name);
        else if (frame[0] == '$') Answered(new RespReplyReader(frame).ReadBulk()); // so PING is answered if no subscription was accepted
    }

    /// <param name="code">The first word of the error. The rest may repeat the command's arguments, with a password or a key.</param>
    private void TakeError(string code)
    {
        var isPassing = code is "LOADING" or "BUSY" or "MASTERDOWN";
        if (!isPassing) services.WarnOfRefusal(TransportAddress.Of(node.Address), _isIn ? code : $"{code} at the login");
        if (!_isIn)
        {
            node.Address.Password?.Refused();
            throw new IOException($"the login is refused: {code}");
        }

        _isRefused = true;
        if (isPassing) IsThere(); // PING is answered by these errors as well
    }

    private void Answered(ReadOnlySpan<byte> version)
    {
        IsThere();
        if (long.TryParse(version, NumberStyles.None, CultureInfo.InvariantCulture, out var inForce)) answered(inForce);
    }

    /// <summary>The node has answered.</summary>
    private void IsThere() => (_isAsked, _ticksLate) = (false, 0);
}
