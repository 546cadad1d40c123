// Which room of a project uses which other one, on which floor does that put it, and is there a circle?
namespace KeyEvt.Proxy.Tests.Architecture;

/// <summary>The rooms of one project and the uses between them.</summary>
internal sealed class RoomGraph
{
    private readonly Dictionary<string, Dictionary<string, Use>> _uses = [];

    public RoomGraph(string project)
    {
        Rooms = [.. SourceTree.Files.Where(file => SourceTree.ProjectOf(file) == project).Select(SourceTree.RoomOf).Distinct()];
        foreach (var room in Rooms) _uses[room] = [];
        foreach (var use in UseFinder.Uses.Where(use => SourceTree.ProjectOf(use.From) == project && SourceTree.ProjectOf(use.To) == project))
        {
            if (SourceTree.RoomOf(use.From) != SourceTree.RoomOf(use.To))
            {
                _uses[SourceTree.RoomOf(use.From)].TryAdd(SourceTree.RoomOf(use.To), use);
            }
        }
    }

    public IReadOnlyList<string> Rooms { get; }

    /// <summary>A shortest circle, as one use for each of its steps. Empty: there is none.</summary>
    public IReadOnlyList<Use> Circle() =>
        Rooms.SelectMany(room => _uses[room].Values.Select(first => Way(SourceTree.RoomOf(first.To), room) is { } back ? [first, .. back] : Array.Empty<Use>()))
            .Where(circle => circle.Length > 0).MinBy(circle => circle.Length) ?? [];

    /// <summary>0: uses no other room. Else one above the highest that it uses.</summary>
    public int FloorOf(string room) => _uses[room].Keys.Select(used => FloorOf(used) + 1).DefaultIfEmpty(0).Max();

    /// <summary>A shortest way along uses; null: there is none.</summary>
    private Use[]? Way(string from, string to)
    {
        var before = new Dictionary<string, Use?> { [from] = null };
        var next = new Queue<string>([from]);
        while (next.TryDequeue(out var room))
        {
            if (room == to) return [.. Back(room, before)];
            foreach (var use in _uses[room].Values)
            {
                if (before.TryAdd(SourceTree.RoomOf(use.To), use)) next.Enqueue(SourceTree.RoomOf(use.To));
            }
        }

        return null;
    }

    private static IEnumerable<Use> Back(string room, Dictionary<string, Use?> before)
    {
        var way = new Stack<Use>();
        for (var at = room; before[at] is { } use; at = SourceTree.RoomOf(use.From)) way.Push(use);
        return way;
    }
}
