// Which messages did an independent consumer get, in which order?
using RabbitMQ.Client;
using RabbitMQ.Client.Events;

namespace KeyEvt.Servers;

/// <summary>
/// Consumes one queue and keeps everything, in order. Acknowledges each message after keeping it, so a lost connection loses none (it may bring one
/// again, with Redelivered set). Connects again for as long as it lives: a killed broker is not an error.
/// </summary>
public sealed class EventConsumer : IAsyncDisposable
{
    /// <summary>For each step of an attempt; then it is begun anew.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LeavingTime = TimeSpan.FromSeconds(2);

    private readonly Broker _broker;
    private readonly ushort _prefetch;
    private readonly Lock _lock = new();
    private readonly List<ReceivedEvent> _received = [];
    private readonly CancellationTokenSource _ending = new();
    private readonly TaskCompletionSource _consuming = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _running = Task.CompletedTask;
    private volatile string _state = "beginning";

    private EventConsumer(Broker broker, string queue, ushort prefetch)
    {
        _broker = broker;
        _prefetch = prefetch;
        Queue = queue;
    }

    public string Queue { get; }

    public int Count
    {
        get
        {
            lock (_lock) return _received.Count;
        }
    }

    public IReadOnlyList<ReceivedEvent> Received
    {
        get
        {
            lock (_lock) return [.. _received];
        }
    }

    /// <summary>Called on the consumer's loop for each message, after it is kept.</summary>
    public Action<ReceivedEvent>? OnReceived { get; set; }

    /// <summary>Declares the queue (durable, bound) if need be, and returns once it is being consumed.</summary>
    public static async Task<EventConsumer> StartAsync(Broker broker, string queue, string exchange = "amq.direct", string? routingKey = null)
    {
        await broker.DeclareAsync(queue, exchange, routingKey ?? queue).ConfigureAwait(false);
        return await AttachAsync(broker, queue).ConfigureAwait(false);
    }

    /// <summary>Consumes a queue that is declared already.</summary>
    /// <param name="prefetch">Messages under way to it at most: with 1 it is a slow one.</param>
    public static async Task<EventConsumer> AttachAsync(Broker broker, string queue, ushort prefetch = 2000)
    {
        var consumer = new EventConsumer(broker, queue, prefetch);
        consumer._running = consumer.RunAsync();
        await consumer._consuming.Task.WaitAsync(TimeSpan.FromSeconds(20)).ConfigureAwait(false);
        return consumer;
    }

    /// <summary>Waits until at least this many have arrived.</summary>
    public async Task WaitForAsync(int count, TimeSpan? deadline = null)
    {
        try
        {
            await Eventually.ValueAsync($"{count} messages in {Queue}", () => Task.FromResult(Count), seen => seen >= count, deadline).ConfigureAwait(false);
        }
        catch (TimeoutException e)
        {
            throw new TimeoutException($"{e.Message}; the consumer is {_state}", e);
        }
    }

    /// <summary>Waits for these keys, in this order, whatever came twice: where the broker refused or left, what it had not confirmed is sent again.</summary>
    public Task WaitForKeysAsync(IReadOnlyList<string> keys, TimeSpan? deadline = null)
        => Eventually.ValueAsync(
            $"{keys.Count} keys in their order in {Queue}",
            () => Task.FromResult(Received.Select(message => message.Key).Distinct().ToList()),
            seen => seen.SequenceEqual(keys),
            deadline);

    /// <summary>Waits for exactly these texts, in this order, as everything received so far.</summary>
    public Task WaitForTextsAsync(params string[] texts)
        => Eventually.ValueAsync(
            "[" + string.Join(", ", texts) + "]",
            () => Task.FromResult(string.Join(", ", Received.Select(message => message.Text))),
            seen => seen == string.Join(", ", texts));

    public void Forget()
    {
        lock (_lock) _received.Clear();
    }

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
        _ending.Dispose();
    }

    private async Task RunAsync()
    {
        while (!_ending.IsCancellationRequested)
        {
            try
            {
                await ConsumeAsync().ConfigureAwait(false);
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                _state = $"away: {e.Message}";
                // The broker is away, or this ends: the loop decides. A queue that is not there shows as a wait past its deadline.
                await Task.Delay(100).ConfigureAwait(false);
            }
        }
    }

    private async Task ConsumeAsync()
    {
        var connection = await _broker.ConnectAsync().WaitAsync(Patience).ConfigureAwait(false);
        try
        {
            var ended = await BeginAsync(connection).WaitAsync(Patience).ConfigureAwait(false);
            _state = "consuming";
            _consuming.TrySetResult();
            await ended.WaitAsync(_ending.Token).ConfigureAwait(false);
        }
        finally
        {
            await LeaveAsync(connection).ConfigureAwait(false);
        }
    }

    /// <summary>Consumes; returns what completes at the channel's end.</summary>
    private async Task<Task> BeginAsync(IConnection connection)
    {
        var channel = await connection.CreateChannelAsync().ConfigureAwait(false);
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        channel.ChannelShutdownAsync += (_, _) =>
        {
            ended.TrySetResult();
            return Task.CompletedTask;
        };
        await channel.BasicQosAsync(0, _prefetch, global: false).ConfigureAwait(false);
        var consumer = new AsyncEventingBasicConsumer(channel);
        consumer.ReceivedAsync += async (_, delivery) =>
        {
            Keep(delivery);
            await channel.BasicAckAsync(delivery.DeliveryTag, multiple: false).ConfigureAwait(false);
        };
        await channel.BasicConsumeAsync(Queue, autoAck: false, consumer).ConfigureAwait(false);
        return ended.Task;
    }

    /// <summary>The library may wait long, or for ever, for a broker that is gone: the next attempt must not wait for that.</summary>
    private static async Task LeaveAsync(IConnection connection)
    {
        var leaving = connection.DisposeAsync().AsTask();
        await Task.WhenAny(leaving, Task.Delay(LeavingTime)).ConfigureAwait(false);
        _ = leaving.ContinueWith(static left => left.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
    }

    private void Keep(BasicDeliverEventArgs delivery)
    {
        var message = ReceivedEvent.Of(delivery);
        lock (_lock) _received.Add(message);
        OnReceived?.Invoke(message);
    }
}
