using Microsoft.Extensions.Logging;

namespace KeyEvt.Simulation.Worlds;

/// <summary>What does one program log? It stands in the story, if that is kept.</summary>
/// <param name="subscribed">Called with the line that says that a feed has subscribed.</param>
internal sealed class StoryLogger(World world, string who, Action<string> subscribed) : ILoggerFactory, ILogger
{
    private const int Subscribed = 2000;

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public bool IsEnabled(LogLevel logLevel) => world.KeepsStory || logLevel is LogLevel.Critical or LogLevel.Information;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (eventId.Id == Subscribed) subscribed(formatter(state, exception));
        if (world.KeepsStory || logLevel == LogLevel.Critical)
        {
            world.TellOnly($"{who}: {formatter(state, exception)}{(exception is null ? "" : " " + exception)}");
        }
    }

    public void Dispose()
    {
        // It owns nothing.
    }
}
