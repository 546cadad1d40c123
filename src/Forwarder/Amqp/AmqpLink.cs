using KeyEvt.Forwarder.Amqp.Messages;
using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Signals;
using Microsoft.Extensions.Logging;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;

namespace KeyEvt.Forwarder.Amqp;

/// <summary>
/// What is one link to the broker? One connection with one channel. Publisher confirms are on. The library's own tracking of confirms is off, since
/// it costs 1 to 2.6 KB a message and adds a header. <c>InFlight</c> keeps the window instead. The library reports trouble only through events, and
/// all of them are passed on.
/// </summary>
internal sealed class AmqpLink : IBrokerLink
{
    private static readonly TimeSpan AbandonDeadline = TimeSpan.FromSeconds(5);

    private readonly IConnection _connection;
    private readonly int _connectionNumber;
    private readonly ILinkEvents _events;
    private readonly BackgroundTasks _background;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly MessageComposer _composer;
    private readonly CancellationTokenSource _abandoned = new(); // never disposed: without a timer it holds nothing to release
    private IChannel? _channel;

    /// <summary>Written by whoever closes or abandons the link. The library's callback threads read it.</summary>
    private volatile bool _isClosing;

    public AmqpLink(IConnection connection, int connectionNumber, ILinkEvents events, BackgroundTasks background, TimeProvider time, ILogger logger)
    {
        (_connection, _connectionNumber, _events, _background, _time, _logger) = (connection, connectionNumber, events, background, time, logger);
        _composer = new MessageComposer(time);
        connection.ConnectionShutdownAsync += OnShutdownAsync;
        connection.ConnectionBlockedAsync += OnBlockedAsync;
        connection.ConnectionUnblockedAsync += OnUnblockedAsync;
        connection.CallbackExceptionAsync += OnCallbackExceptionAsync;
    }

    public async Task OpenChannelAsync(CancellationToken deadline)
    {
        var options = new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: false);
        _channel = await _connection.CreateChannelAsync(options, deadline).WaitAsync(deadline).ConfigureAwait(false);
        _channel.BasicAcksAsync += OnAckAsync;
        _channel.BasicNacksAsync += OnNackAsync;
        _channel.BasicReturnAsync += OnReturnAsync;
        _channel.ChannelShutdownAsync += OnShutdownAsync;
        _channel.CallbackExceptionAsync += OnCallbackExceptionAsync;
    }

    /// <inheritdoc/>
    public ValueTask PublishAsync(in LogEntry entry, MessageRoute route, ReadOnlyMemory<byte> messageId)
    {
        // The token ends a call that hangs in a dead connection, and with it the library's own shutdown, which waits for the call. It is not
        // cancelled while the link is in use: that would shift the library's sequence numbers. The deadline for a publish is the caller's.
        _composer.Compose(entry, route, messageId);
        return _channel!.BasicPublishAsync(_composer.Exchange, _composer.RoutingKey, mandatory: true, _composer.Properties, _composer.Body, _abandoned.Token);
    }

    public async Task CloseAsync(TimeSpan deadline)
    {
        _isClosing = true;
        var closing = CloseInOrderAsync(deadline);
        try
        {
            await closing.WaitAsync(deadline, _time).ConfigureAwait(false);
        }
        catch (Exception)
        {
            _background.GiveUp("closing the connection to the broker", closing); // late or broken; the background task finishes it
        }
    }

    public void Abandon()
    {
        _isClosing = true;
        _background.GiveUp("aborting the connection to the broker", AbortAsync());
    }

    /// <summary>Closes a connection that was opened only after the attempt to connect had been given up.</summary>
    public static async Task DisposeLateAsync(Task<IConnection> opening)
    {
        var connection = await opening.ConfigureAwait(false);
        await connection.CloseAsync(Constants.ReplySuccess, "given up", AbandonDeadline, abort: true, CancellationToken.None).ConfigureAwait(false);
        await connection.DisposeAsync().ConfigureAwait(false);
    }

    private async Task CloseInOrderAsync(TimeSpan deadline)
    {
        await _connection.CloseAsync(Constants.ReplySuccess, "closed by keyevt", deadline, abort: true, CancellationToken.None).ConfigureAwait(false);
        await _connection.DisposeAsync().ConfigureAwait(false);
    }

    private async Task AbortAsync()
    {
        await Task.Yield(); // leaves the delivery loop first: closing a broken connection must not run on it
        await _abandoned.CancelAsync().ConfigureAwait(false);
        await _connection.CloseAsync(Constants.ReplySuccess, "given up", AbandonDeadline, abort: true, CancellationToken.None).ConfigureAwait(false);
        await _connection.DisposeAsync().ConfigureAwait(false);
    }

    private Task OnShutdownAsync(object sender, ShutdownEventArgs e)
    {
        if (!_isClosing)
        {
            var failure = BrokerErrorText.Closed(isChannel: sender is IChannel, e.ReplyCode, e.ReplyText);
            _events.Closed(_connectionNumber, failure.Kind, failure.Message);
        }

        return Task.CompletedTask;
    }

    private Task OnCallbackExceptionAsync(object sender, CallbackExceptionEventArgs e)
    {
        AmqpLog.CallbackFailed(_logger, e.Exception);
        return Task.CompletedTask;
    }

    private Task OnAckAsync(object sender, BasicAckEventArgs e)
    {
        _events.Confirmed(_connectionNumber, e.DeliveryTag, e.Multiple, refused: false);
        return Task.CompletedTask;
    }

    private Task OnNackAsync(object sender, BasicNackEventArgs e)
    {
        _events.Confirmed(_connectionNumber, e.DeliveryTag, e.Multiple, refused: true);
        return Task.CompletedTask;
    }

    private Task OnReturnAsync(object sender, BasicReturnEventArgs e)
    {
        _events.Returned(_connectionNumber, e.BasicProperties.MessageId, e.ReplyText);
        return Task.CompletedTask;
    }

    private Task OnBlockedAsync(object sender, ConnectionBlockedEventArgs e)
    {
        _events.Blocked(_connectionNumber, BrokerErrorText.Blocked(e.Reason));
        return Task.CompletedTask;
    }

    private Task OnUnblockedAsync(object sender, AsyncEventArgs e)
    {
        _events.Blocked(_connectionNumber, null);
        return Task.CompletedTask;
    }
}
