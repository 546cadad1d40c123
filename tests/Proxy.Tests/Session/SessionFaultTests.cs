using KeyEvt.Proxy.Barrier.Echo;
using KeyEvt.Proxy.Intercept;
using KeyEvt.Proxy.Route;
using KeyEvt.Proxy.Server;
using KeyEvt.Proxy.Session;
using KeyEvt.Proxy.Transport;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace KeyEvt.Proxy.Tests.Session;

/// <summary>What becomes of a session that meets a fault of the program itself?</summary>
public sealed class SessionFaultTests
{
    [Fact]
    public async Task A_fault_while_connecting_ends_the_session_and_is_logged()
    {
        var logger = new Recorder();
        await using var client = new MemoryConnection();
        var session = SessionOf(client, logger, new MemoryTransport(_ => throw new InvalidOperationException("a fault")));
        await session.RunAsync().WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        Assert.Equal(SessionEndReason.Fault, session.EndReason);
        Assert.True(client.IsDisposed);
        Assert.Contains(logger.Entries, entry => entry is { Level: LogLevel.Error, Error: InvalidOperationException { Message: "a fault" } });
    }

    [Fact]
    public void A_connection_that_breaks_is_no_fault_and_is_not_logged_as_one()
    {
        var logger = new Recorder();
        var session = SessionOf(new MemoryConnection(), logger, MemoryTransport.Refusing);
        Assert.NotEqual(SessionEndReason.Fault, session.Classify(new IOException("reset"), Side.Client));
        Assert.DoesNotContain(logger.Entries, entry => entry.Level >= LogLevel.Warning);
        Assert.Equal(SessionEndReason.Fault, session.Classify(new InvalidOperationException("a fault"), Side.Client));
        Assert.Single(logger.Entries, entry => entry.Level == LogLevel.Error);
    }

    private static ProxySession SessionOf(IConnection client, ILogger logger, ITransport transport)
    {
        var time = new FakeTimeProvider();
        return new ProxySession(1, client, new SessionServices
        {
            Transport = transport,
            Upstream = new FixedRoute(TransportAddress.Tcp("upstream", 6379)),
            Intercept = new InterceptorFactory(new Authorization([]), null, null, null, logger).Open,
            Probe = new UpstreamProbe(transport, time, logger),
            Time = time,
            Logger = logger,
        });
    }

    private sealed class Recorder : ILogger
    {
        public List<(LogLevel Level, Exception? Error)> Entries { get; } = [];

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            lock (Entries) Entries.Add((logLevel, exception));
        }
    }
}
