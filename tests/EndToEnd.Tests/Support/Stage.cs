// What does an end-to-end test stand on? Redis, keyevt, RabbitMQ and a consumer, and the ledger is checked at the end.
using System.Globalization;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Support;

/// <summary>A Redis and a keyevt of the test's own, and a queue of its own on the given RabbitMQ.</summary>
internal sealed class Stage : IAsyncDisposable
{
    private readonly StageSetting _setting;
    private readonly RabbitServer? _rabbit;
    private KeyEvtProcess? _program;
    private EventConsumer? _consumer;

    private Stage(StageSetting setting, RabbitServer? rabbit, RedisServer redis)
    {
        _setting = setting;
        _rabbit = rabbit;
        Redis = redis;
    }

    public const string FallbackKey = "REDIS_MODULE-key_evt_amqp-fallback_storage";

    public RedisServer Redis { get; }

    public RabbitServer Rabbit => _rabbit ?? throw new InvalidOperationException("this stage has a broker of another kind");

    public KeyEvtProcess Program => _program!;

    public EventConsumer Consumer => _consumer ?? throw new InvalidOperationException("this stage has no queue");

    /// <summary>The queue, and the routing key it is bound with to the exchange unless the setting names another.</summary>
    public string Queue { get; } = $"q{Guid.NewGuid():N}";

    /// <summary>A text in which {q} stands for the queue's name.</summary>
    public string Named(string? text) => (text ?? "{q}").Replace("{q}", Queue, StringComparison.Ordinal);

    /// <summary>Sets the stage, acts, checks that the ledger adds up, takes everything down. A failure shows the program's own last words.</summary>
    public static async Task RunAsync(RabbitServer? rabbit, StageSetting setting, Func<Stage, Task> act)
    {
        await using var stage = await SetAsync(rabbit, setting);
        try
        {
            await act(stage);
            if (!stage.Program.Process.HasExited) await stage.LedgerAddsUpAsync();
        }
        catch
        {
            TestContext.Current.TestOutputHelper?.WriteLine(stage.Program.Process.Tail(60));
            throw;
        }
    }

    /// <param name="rabbit">Null where <see cref="StageSetting.AmqpUrl"/> names a broker of another kind; there is no consumer then.</param>
    public static async Task<Stage> SetAsync(RabbitServer? rabbit, StageSetting setting)
    {
        var stage = new Stage(setting, rabbit, await RedisServer.StartAsync(setting.Redis));
        try
        {
            await setting.Before(stage.Redis);
            if (setting.Queue && rabbit is not null)
            {
                stage._consumer = await EventConsumer.StartAsync(rabbit.Broker.As(virtualHost: setting.VirtualHost), stage.Queue, setting.Exchange, stage.Named(setting.Binding ?? setting.RoutingKey));
            }

            stage._program = await KeyEvtProcess.StartAsync(stage.Arguments(), setting.Environment, waitReady: setting.WaitReady, through: setting.Through);
            return stage;
        }
        catch
        {
            await stage.DisposeAsync();
            throw;
        }
    }

    /// <summary>The options the program was started with, --listen and --admin apart; for a second one, or for check.</summary>
    public string[] Arguments()
    {
        var login = _setting.Login is null ? "" : string.Join(':', _setting.Login.Length == 1 ? ["", .. _setting.Login] : _setting.Login) + "@";
        return
        [
            "--upstream", string.Create(CultureInfo.InvariantCulture, $"redis://{login}127.0.0.1:{Redis.Port}"),
            "--amqp", _setting.AmqpUrl ?? Rabbit.UrlWith(virtualHost: _setting.VirtualHost, port: _setting.AmqpPort),
            "--exchange", _setting.Exchange,
            "--routing-key", Named(_setting.RoutingKey),
            .. _setting.Events is null ? [] : new[] { "--events", _setting.Events },
            .. _setting.Masks.SelectMany(mask => new[] { "--keymask", mask }),
            .. _setting.Options.Select(Named),
        ];
    }

    /// <summary>A client of the proxy that may do everything.</summary>
    public async Task<RespClient> ConnectAsync()
    {
        var client = await Program.ConnectAsync();
        if (_setting.Login is not null) Assert.Equal("OK", (await client.CallAsync(["AUTH", .. _setting.Login])).Text);
        return client;
    }

    /// <summary>One command through the proxy on a connection of its own.</summary>
    public async Task<Reply> CallAsync(params string[] arguments)
    {
        await using var client = await ConnectAsync();
        return await client.CallAsync(arguments);
    }

    public Task<IReadOnlyDictionary<string, string>> InfoAsync() => Program.InfoAsync(_setting.Login);

    public async Task<long> NumberAsync(string field) => long.Parse((await InfoAsync())[field], CultureInfo.InvariantCulture);

    /// <summary>Waits for one field of info, such as "ledger.waiting_fallback".</summary>
    public Task WaitForFieldAsync(string field, Func<string, bool> isRight, TimeSpan? deadline = null)
        => Eventually.ValueAsync($"the right {field}", async () => (await InfoAsync()).GetValueOrDefault(field, "(not there)"), isRight, deadline);

    public Task WaitForNumberAsync(string field, Func<long, bool> isRight, TimeSpan? deadline = null)
        => WaitForFieldAsync(field, text => long.TryParse(text, CultureInfo.InvariantCulture, out var number) && isRight(number), deadline);

    public async Task LedgerAddsUpAsync() => Ledger.AssertAddsUp(await InfoAsync());

    /// <summary>Entries in the fallback storage; 0 when the list is gone.</summary>
    public async Task<long> FallbackLengthAsync()
    {
        await using var direct = await Redis.ConnectAsync();
        if (_setting.Login is not null) await direct.CallAsync(["AUTH", .. _setting.Login]);
        return (await direct.CallAsync("LLEN", FallbackKey)).Integer;
    }

    public async ValueTask DisposeAsync()
    {
        if (_program is not null) await _program.DisposeAsync();
        if (_consumer is not null) await _consumer.DisposeAsync();
        await Redis.DisposeAsync();
    }
}
