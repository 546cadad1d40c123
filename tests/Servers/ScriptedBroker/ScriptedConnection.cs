// How does the scripted broker talk on one connection?
using System.Net.Sockets;
using System.Text;

namespace KeyEvt.Servers;

/// <summary>One connection of the program under test: answers what the protocol demands, and offers what a script may say besides.</summary>
public sealed class ScriptedConnection : IDisposable
{
    private readonly ScriptedBroker _broker;
    private readonly Socket _socket;
    private readonly NetworkStream _stream;
    private readonly SemaphoreSlim _writing = new(1, 1);
    private readonly PublishCollector _collector;
    private uint _frameMax = uint.MaxValue; // until it is agreed

    internal ScriptedConnection(ScriptedBroker broker, Socket socket, int number)
    {
        (_broker, _socket, Number) = (broker, socket, number);
        _socket.NoDelay = true;
        _stream = new NetworkStream(socket, ownsSocket: true);
        _collector = new PublishCollector(number);
    }

    /// <summary>1 for the broker's first.</summary>
    public int Number { get; }

    public bool IsOpen { get; private set; }

    /// <summary>From the handshake: what it agreed to, seconds and bytes.</summary>
    public (ushort Heartbeat, uint FrameMax) Agreed { get; private set; }

    public Task AckAsync(ulong tag, bool multiple = false) => SendAsync(new AmqpWriter(AmqpMethod.BasicAck).LongLong(tag).Octet(multiple ? (byte)1 : (byte)0), _collector.Channel);

    public Task NackAsync(ulong tag, bool multiple = false) => SendAsync(new AmqpWriter(AmqpMethod.BasicNack).LongLong(tag).Octet(multiple ? (byte)1 : (byte)0), _collector.Channel);

    /// <summary>basic.return; the confirm of the message is to follow it.</summary>
    public async Task ReturnAsync(PublishedMessage message, ushort code = 312, string text = "NO_ROUTE")
    {
        var method = new AmqpWriter(AmqpMethod.BasicReturn).Short(code).ShortString(text).ShortString(message.Exchange).ShortString(message.RoutingKey);
        byte[] bytes = [.. method.ToFrame(message.Channel).ToBytes(), .. new AmqpFrame(AmqpFrame.Header, message.Channel, message.Header).ToBytes()];
        foreach (var part in message.Body.Chunk((int)Agreed.FrameMax - AmqpFrame.Overhead))
        {
            bytes = [.. bytes, .. new AmqpFrame(AmqpFrame.Body, message.Channel, part).ToBytes()];
        }

        await SendBytesAsync(bytes).ConfigureAwait(false);
    }

    public Task CloseChannelAsync(ushort code, string text, ushort? channel = null) =>
        SendAsync(new AmqpWriter(AmqpMethod.ChannelClose).Short(code).ShortString(text).Short(0).Short(0), channel ?? _collector.Channel);

    public Task CloseAsync(ushort code, string text) => SendAsync(new AmqpWriter(AmqpMethod.ConnectionClose).Short(code).ShortString(text).Short(0).Short(0), 0);

    public Task BlockAsync(string reason) => SendAsync(new AmqpWriter(AmqpMethod.ConnectionBlocked).ShortString(reason), 0);

    public Task UnblockAsync() => SendAsync(new AmqpWriter(AmqpMethod.ConnectionUnblocked), 0);

    public async Task SendBytesAsync(byte[] bytes)
    {
        await _writing.WaitAsync().ConfigureAwait(false);
        try
        {
            await _stream.WriteAsync(bytes).ConfigureAwait(false);
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <summary>RST.</summary>
    public void Reset()
    {
        _socket.LingerState = new LingerOption(true, 0);
        _socket.Dispose();
    }

    public void Dispose()
    {
        IsOpen = false;
        _stream.Dispose();
    }

    internal async Task RunAsync(CancellationToken ending)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(ending);
        var beating = Task.CompletedTask;
        try
        {
            var header = new byte[8]; // "AMQP" 0 0 9 1
            await _stream.ReadExactlyAsync(header, ending).ConfigureAwait(false);
            if (_broker.Script.Garbage is { } garbage)
            {
                await SendBytesAsync(garbage).ConfigureAwait(false);
            }
            else if (!_broker.Script.IsSilent)
            {
                await SendAsync(new AmqpWriter(AmqpMethod.ConnectionStart).Octet(0).Octet(9).ServerProperties().LongString("PLAIN").LongString("en_US"), 0).ConfigureAwait(false);
            }

            beating = BeatAsync(ended.Token);
            var buffered = new BufferedStream(_stream, 64 * 1024);
            while (await AmqpFrame.ReadAsync(buffered, ending).ConfigureAwait(false) is { } frame)
            {
                if (frame.Length > _frameMax) _broker.Fault($"a frame of {frame.Length} bytes, agreed are {_frameMax}");
                if (!_broker.Script.IsSilent) await TakeAsync(frame).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // Closed by the program, by the script, or by the end of the test.
        }
        catch (Exception e) when (e is InvalidDataException or ArgumentOutOfRangeException)
        {
            _broker.Fault($"connection {Number}: {e.Message}");
        }
        finally
        {
            await ended.CancelAsync().ConfigureAwait(false);
            await beating.ConfigureAwait(false);
            Dispose();
        }
    }

    private async Task TakeAsync(AmqpFrame frame)
    {
        if (frame.Type == AmqpFrame.Method)
        {
            await AnswerAsync(frame).ConfigureAwait(false);
        }
        else if (_collector.Take(frame) is { } message)
        {
            _broker.Keep(message);
            await _broker.Script.OnPublish(this, message).ConfigureAwait(false);
        }
    }

    private Task AnswerAsync(AmqpFrame frame)
    {
        var fields = new AmqpReader(frame.Payload);
        var method = fields.Method();
        switch (method)
        {
            case AmqpMethod.ConnectionStartOk:
                fields.Block(); // client properties
                fields.ShortString(); // PLAIN
                var login = Encoding.UTF8.GetString(fields.Block()).Split('\0'); // who to act for, user, password (RFC 4616)
                _broker.LoggedIn(login[1], login[2]);
                return SendAsync(new AmqpWriter(AmqpMethod.ConnectionTune).Short(2047).Long(_broker.Script.FrameMax).Short(_broker.Script.Heartbeat), 0);
            case AmqpMethod.ConnectionTuneOk:
                fields.Short(); // channel-max
                _frameMax = fields.Long();
                Agreed = (fields.Short(), _frameMax);
                return Task.CompletedTask;
            case AmqpMethod.ConnectionOpen:
                IsOpen = true;
                return SendAsync(new AmqpWriter(AmqpMethod.ConnectionOpenOk).ShortString(""), 0);
            case AmqpMethod.ConnectionClose:
                return SendAsync(new AmqpWriter(AmqpMethod.ConnectionCloseOk), 0);
            case AmqpMethod.ChannelOpen:
                return SendAsync(new AmqpWriter(AmqpMethod.ChannelOpenOk).LongString(""), frame.Channel);
            case AmqpMethod.ChannelClose:
                return SendAsync(new AmqpWriter(AmqpMethod.ChannelCloseOk), frame.Channel);
            case AmqpMethod.ExchangeDeclare:
                fields.Short();
                return _broker.Script.OnExchange(fields.ShortString()) is { } no
                    ? CloseChannelAsync(no.Code, no.Text, frame.Channel)
                    : SendAsync(new AmqpWriter(AmqpMethod.ExchangeDeclareOk), frame.Channel);
            case AmqpMethod.ConfirmSelect:
                _collector.StartCounting(frame.Channel);
                return SendAsync(new AmqpWriter(AmqpMethod.ConfirmSelectOk), frame.Channel);
            case AmqpMethod.BasicPublish:
                _collector.Begin(ref fields, frame.Channel);
                return Task.CompletedTask;
            case AmqpMethod.ChannelCloseOk or AmqpMethod.ConnectionCloseOk:
                return Task.CompletedTask;
            default:
                _broker.Fault($"method {method} is not in the script");
                return Task.CompletedTask;
        }
    }

    private Task SendAsync(AmqpWriter method, ushort channel) => SendBytesAsync(method.ToFrame(channel).ToBytes());

    /// <summary>A heartbeat each half second is enough for any interval that was agreed.</summary>
    private async Task BeatAsync(CancellationToken ended)
    {
        using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(500));
        try
        {
            while (await pace.WaitForNextTickAsync(ended).ConfigureAwait(false))
            {
                if (IsOpen && !_broker.Script.IsSilent)
                {
                    await SendBytesAsync(new AmqpFrame(AmqpFrame.Heartbeat, 0, []).ToBytes()).ConfigureAwait(false);
                }
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or OperationCanceledException)
        {
            // The connection has ended.
        }
    }
}
