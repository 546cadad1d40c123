// Which RabbitMQ may the tests of one class stop, kill and freeze?
using KeyEvt.Servers;

namespace KeyEvt.EndToEnd.Tests.Support;

/// <summary>A class fixture: one RabbitMQ for the tests of a class, which run one after the other. Each gets it running.</summary>
public sealed class OwnBroker : IAsyncDisposable
{
    private RabbitServer? _rabbit;

    public async Task<RabbitServer> GetAsync()
    {
        _rabbit ??= await RabbitServer.StartAsync();
        _rabbit.Thaw();
        if (_rabbit.Process.HasExited) await _rabbit.RestartAsync();
        return _rabbit;
    }

    public async ValueTask DisposeAsync()
    {
        if (_rabbit is not null) await _rabbit.DisposeAsync();
    }
}
