using System.Net;
using System.Net.Sockets;
using KeyEvt.Proxy.Transport;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Proxy.Admin;

/// <summary>
/// How are the admin pages reached from outside? By HTTP on TCP or a unix socket, through an empty web application: it reads no files and no
/// environment, and handles no signals. <see cref="AdminPages"/> says what the pages show.
/// </summary>
internal sealed class AdminServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ListeningSocket? _unix;
    private readonly TimeProvider _time;

    private AdminServer(WebApplication app, ListeningSocket? unix, TimeProvider time) => (_app, _unix, _time) = (app, unix, time);

    /// <summary>The addresses on which it listens, with the ports that the system chose.</summary>
    public IReadOnlyList<string> Addresses => [.. _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses];

    /// <summary>Starts to listen.</summary>
    /// <exception cref="IOException">The address cannot be listened on; the message names it.</exception>
    public static async Task<AdminServer> StartAsync(TransportAddress address, SocketSettings sockets, AdminPages pages, ILoggerFactory loggers, TimeProvider time, CancellationToken cancellationToken)
    {
        AdminServer? server = null;
        try
        {
            var ends = await FindAsync(address, cancellationToken);
            var unix = address.UnixPath is null ? null : new ListeningSocket(address, sockets);
            var connections = new AdminConnectionTable();
            server = new AdminServer(Build(address, ends, unix, connections, loggers), unix, time);
            var hosts = new AdminHosts(ends.All(static end => end is IPEndPoint ip && IPAddress.IsLoopback(ip.Address)), address.Host);
            server._app.Run(context => AnswerAsync(context, connections, pages, hosts));
            await server._app.StartAsync(cancellationToken);
            return server;
        }
        catch (Exception e)
        {
            if (server is not null) await server.DisposeAsync();
            if (e is SocketPathException or not (IOException or SocketException or InvalidOperationException)) throw;
            throw new IOException($"cannot listen on {address} for the admin pages: {e.GetBaseException().Message}", e);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _unix?.Dispose();
    }

    public async Task StopAsync(TimeSpan deadline)
    {
        using var end = new CancellationTokenSource(deadline, _time);
        await _app.StopAsync(end.Token);
    }

    /// <summary>
    /// All addresses of a host name. They are looked up here, because the web server would listen on every interface if it were given a name.
    /// </summary>
    private static async Task<IReadOnlyList<EndPoint>> FindAsync(TransportAddress address, CancellationToken cancellationToken)
    {
        if (address.ToEndPoint() is not DnsEndPoint name) return [address.ToEndPoint()];
        var found = await Dns.GetHostAddressesAsync(name.Host, cancellationToken);
        return [.. found.Distinct().Select(ip => new IPEndPoint(ip, name.Port))];
    }

    private static WebApplication Build(TransportAddress address, IReadOnlyList<EndPoint> ends, ListeningSocket? unix, AdminConnectionTable connections, ILoggerFactory loggers)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton(loggers);
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        if (unix is not null)
        {
            builder.Services.Configure<SocketTransportOptions>(options => options.CreateBoundListenSocket = _ => unix.Socket);
        }

        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = 4096;
            // These are timers of Kestrel: they run by the system's clock and not by TimeProvider.
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(5);
            kestrel.Limits.KeepAliveTimeout = TimeSpan.FromSeconds(60);
            if (address.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase))
            {
                kestrel.ListenLocalhost(address.Port, Count); // also works where there is no IPv6
            }
            else
            {
                foreach (var end in ends) kestrel.Listen(end, Count);
            }
        });
        return builder.Build();

        void Count(ListenOptions listen) => listen.Use(next => context => connections.RunAsync(context, next));
    }

    private static async Task AnswerAsync(HttpContext context, AdminConnectionTable connections, AdminPages pages, AdminHosts hosts)
    {
        var connection = context.Features.Get<AdminConnection>()!; // set on every connection
        connections.Mark(connection, isBusy: true);
        try
        {
            await pages.AnswerAsync(context, hosts);
        }
        finally
        {
            connections.Mark(connection, isBusy: false);
        }
    }

    /// <summary>Handles no signals, because the program handles them itself.</summary>
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
