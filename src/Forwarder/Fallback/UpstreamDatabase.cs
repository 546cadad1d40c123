using System.Net;
using System.Net.Sockets;
using KeyEvt.Forwarder.Feed;
using KeyEvt.Forwarder.Tls;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace KeyEvt.Forwarder.Fallback;

/// <summary>
/// Over which connection do commands for the fallback storage go? One StackExchange.Redis multiplexer to the upstream, opened at
/// first use. It fails fast while Redis is away (nothing of ours may sit in its backlog and arrive later), and it does nothing
/// of its own in the database: no tie-breaker key, no configuration channel.
/// </summary>
internal sealed class UpstreamDatabase(RedisAddress address, TlsClient tls, string clientName, ILogger logger) : IAsyncDisposable
{
    private string? _lastRefusal;

    private readonly SemaphoreSlim _gate = new(1, 1);
    private ConnectionMultiplexer? _multiplexer;

    public async ValueTask<IDatabase> GetAsync()
    {
        if (_multiplexer is { } open)
            return open.GetDatabase(0);

        await _gate.WaitAsync().ConfigureAwait(false);
        try
        {
            _multiplexer ??= await OpenAsync().ConfigureAwait(false);
            return _multiplexer.GetDatabase(0);
        }
        finally
        {
            _gate.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_multiplexer is not null)
            await _multiplexer.DisposeAsync().ConfigureAwait(false);

        _gate.Dispose();
    }

    private async Task<ConnectionMultiplexer> OpenAsync()
    {
        var options = new ConfigurationOptions
        {
            AbortOnConnectFail = false,
            ConnectTimeout = 5000,
            AsyncTimeout = 5000,
            BacklogPolicy = BacklogPolicy.FailFast,
            ReconnectRetryPolicy = new ExponentialRetry(100, 2000),
            ClientName = clientName,
            TieBreaker = "",
            ConfigurationChannel = "",
            SetClientLibrary = false,
            User = address.User,
            Password = address.Password,
        };
        if (address.IsTls)
        {
            options.Ssl = true;
            options.SslClientAuthenticationOptions = _ => tls.OptionsFor(address.Host, Refused);
        }

        options.EndPoints.Add(EndPointOf(address));
        var multiplexer = await ConnectionMultiplexer.ConnectAsync(options).ConfigureAwait(false);
        multiplexer.ConnectionFailed += (_, e) => FallbackLog.Disconnected(logger, e.FailureType.ToString());
        multiplexer.ConnectionRestored += (_, _) => FallbackLog.Connected(logger);
        return multiplexer;
    }

    /// <summary>The library tries again every other second: the same text is said once.</summary>
    private void Refused(string why)
    {
        if (Interlocked.Exchange(ref _lastRefusal, why) != why)
            FallbackLog.Refused(logger, why);
    }

    private static EndPoint EndPointOf(RedisAddress address) =>
        address.Path is { } path ? new UnixDomainSocketEndPoint(path) : new DnsEndPoint(address.Host, address.Port);
}
