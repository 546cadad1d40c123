// What stands on the stage: which Redis, which RabbitMQ, which program, and who takes it down again?
using System.Globalization;
using KeyEvt.Servers;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;

namespace KeyEvt.Demo;

/// <summary>
/// Redis and RabbitMQ (private ones, or those named by KEYEVT_UPSTREAM and KEYEVT_AMQP), keyevt between them, and a queue bound beside
/// any other. The queue is exclusive: a named broker keeps nothing of it.
/// </summary>
internal sealed class DemoStage : IAsyncDisposable
{
    private const int UsualPort = 6380;
    private RedisServer? _redis;
    private RabbitServer? _rabbit;
    private KeyEvtProcess? _program;
    private IConnection? _connection;

    private DemoStage()
    {
    }

    public KeyEvtProcess Program => _program ?? throw new InvalidOperationException("not started");

    public string Redis { get; private set; } = "";

    public string Rabbit { get; private set; } = "";

    /// <summary>Keys of a --once run start so, and only they are forwarded then.</summary>
    public string Prefix { get; } = $"keyevt-demo:{Guid.NewGuid():N}:";

    public static async Task<DemoStage> SetAsync(bool once, CancellationToken cancellationToken)
    {
        var stage = new DemoStage();
        try
        {
            await stage.SetAsync(once ? ["--events", "$", "--keymask", $"^{stage.Prefix}.*$"] : Live(), cancellationToken);
            return stage;
        }
        catch
        {
            await stage.DisposeAsync();
            throw;
        }
    }

    /// <summary>Each body that arrives, on one loop, in order.</summary>
    public async Task ShowAsync(Action<ReceivedEvent> arrived)
    {
        var exchange = Setting("KEYEVT_EXCHANGE") ?? "amq.direct";
        var routingKey = Setting("KEYEVT_ROUTING_KEY") ?? "redis_keyspace_events";
        try
        {
            _connection = await new Broker(Setting("KEYEVT_AMQP") ?? _rabbit!.Url).ConnectAsync();
        }
        catch (RabbitMQ.Client.Exceptions.BrokerUnreachableException e)
        {
            throw new InvalidOperationException($"RabbitMQ {Rabbit} cannot be reached: {e.GetBaseException().Message}", e);
        }

        var channel = await _connection.CreateChannelAsync();
        var queue = (await channel.QueueDeclareAsync("", durable: false, exclusive: true, autoDelete: true)).QueueName;
        await channel.QueueBindAsync(queue, exchange, routingKey);
        var consumer = new AsyncEventingBasicConsumer(channel);
        consumer.ReceivedAsync += (_, delivery) =>
        {
            arrived(ReceivedEvent.Of(delivery));
            return Task.CompletedTask;
        };
        await channel.BasicConsumeAsync(queue, autoAck: true, consumer);
    }

    /// <summary>SIGTERM; null, or what was wrong with its end.</summary>
    public async Task<string?> StopProgramAsync()
    {
        var code = await Program.StopAsync();
        return code == 0 ? null : $"keyevt ended with {code}:\n{Program.Process.Tail(20)}";
    }

    public async ValueTask DisposeAsync()
    {
        if (_program is { Process.HasExited: false }) await StopProgramAsync();
        if (_program is not null) await _program.DisposeAsync();
        if (_connection is not null) await _connection.DisposeAsync();
        if (_rabbit is not null) await _rabbit.DisposeAsync();
        if (_redis is not null) await _redis.DisposeAsync();
    }

    private static string[] Live()
        => [.. Setting("KEYEVT_EVENTS") is null ? ["--events", "A"] : Array.Empty<string>(), .. Setting("KEYEVT_KEYMASK") is null ? ["--keymask", "ALL"] : Array.Empty<string>()];

    private static string? Setting(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;

    private static string WithoutPassword(string url)
        => Uri.TryCreate(url, UriKind.Absolute, out var uri) && uri.UserInfo.Length > 0 ? url.Replace(uri.UserInfo + "@", uri.UserInfo.Split(':')[0] + "@", StringComparison.Ordinal) : url;

    private async Task SetAsync(string[] options, CancellationToken cancellationToken)
    {
        Console.WriteLine("starting ...");
        var rabbitStarting = Setting("KEYEVT_AMQP") is null ? RabbitServer.StartAsync() : null;
        try
        {
            if (Setting("KEYEVT_UPSTREAM") is null) _redis = await RedisServer.StartAsync();
        }
        finally
        {
            if (rabbitStarting is not null) _rabbit = await rabbitStarting;
        }
        cancellationToken.ThrowIfCancellationRequested();
        Redis = _redis is null ? WithoutPassword(Setting("KEYEVT_UPSTREAM")!) : _redis.Url + " (private)";
        Rabbit = _rabbit is null ? WithoutPassword(Setting("KEYEVT_AMQP")!) : WithoutPassword(_rabbit.Url) + " (private)";
        _program = await KeyEvtProcess.StartAsync(
            [.. _redis is null ? [] : new[] { "--upstream", _redis.Url }, .. _rabbit is null ? [] : new[] { "--amqp", _rabbit.Url }, .. options],
            port: FreePorts.IsFree(UsualPort) ? UsualPort : null,
            inheritSettings: true);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"""

            KeyEvt runs.
              Redis      {Redis}
              RabbitMQ   {Rabbit}
              clients    127.0.0.1:{Program.Port}
              admin      http://127.0.0.1:{Program.AdminPort}/metrics
            """));
    }
}
