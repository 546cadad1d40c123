// Which RabbitMQ do the tests share that do not harm it?
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

[assembly: AssemblyFixture(typeof(SharedBroker))]

namespace KeyEvt.EndToEnd.Tests.Support;

/// <summary>One RabbitMQ for the whole run, started when the first test wants it: starting one takes 5 s. Each test has a queue of its own.</summary>
public sealed class SharedBroker : IAsyncDisposable
{
    private readonly Lazy<Task<RabbitServer>> _rabbit = new(() => RabbitServer.StartAsync());

    public Task<RabbitServer> GetAsync() => _rabbit.Value;

    public async ValueTask DisposeAsync()
    {
        if (_rabbit.IsValueCreated) await (await _rabbit.Value).DisposeAsync();
    }
}
