using System.Globalization;
using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using System.Text;

namespace AttentionGen.Generator.Tests.Harness;

/// <summary>Finds what a compiled assembly calls that depends on the culture of the process. In the compiled code also what C# writes in another way: added strings, holes of interpolated ones.</summary>
internal static class CallsOfCulture
{
    private static readonly Dictionary<int, OpCode> s_instructions =
        typeof(OpCodes).GetFields().Select(field => (OpCode)field.GetValue(null)!).ToDictionary(instruction => (int)(ushort)instruction.Value);

    /// <summary>The calls, as <c>Type.Method: String.Format(String, Object)</c>.</summary>
    public static IReadOnlyList<string> In(Assembly assembly) =>
    [
        .. from type in assembly.GetTypes()
           from method in type.GetMethods(Declared).Concat<MethodBase>(type.GetConstructors(Declared))
           where method.Name != "PrintMembers" && !type.Name.Contains("AnonymousType", StringComparison.Ordinal) // for debuggers
           from call in Calls(method)
           where Depends(call.Method, call.On)
           select $"{type.Name}.{method.Name}: {Text(call.Method)}{(call.On is null ? "" : $" of {call.On.Name}")}",
    ];

    private const BindingFlags Declared = BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    private static bool Depends(MethodBase method, Type? on)
    {
        var owner = method.DeclaringType is { IsConstructedGenericType: true } generic ? generic.GetGenericTypeDefinition() : method.DeclaringType!;
        Type[] parameters = [.. method.GetParameters().Select(parameter => parameter.ParameterType)];
        bool saysHow = parameters.Any(type => typeof(IFormatProvider).IsAssignableFrom(type) || type == typeof(StringComparison) || type == typeof(CultureInfo));
        if (owner == typeof(CultureInfo)) return method.Name is "get_CurrentCulture" or "get_CurrentUICulture" or "get_InstalledUICulture";
        if (owner == typeof(StringComparer)) return method.Name.EndsWith("Culture", StringComparison.Ordinal) || method.Name.EndsWith("CultureIgnoreCase", StringComparison.Ordinal);
        if (IsOrder(owner, method) && parameters.All(type => !type.Name.StartsWith("IComparer", StringComparison.Ordinal) && type != typeof(Comparison<string>))) return Orders(method).Contains(typeof(string));
        if (saysHow) return false;
        if (owner == typeof(string))
        {
            return method.Name switch
            {
                "Format" or "CompareTo" or "ToLower" or "ToUpper" => true,
                "Compare" => true,
                "Concat" => parameters.Any(IsObjects) || (method.IsGenericMethod && method.GetGenericArguments()[0] != typeof(string)),
                "Join" => parameters.Any(IsObjects) || (method.IsGenericMethod && method.GetGenericArguments()[0] != typeof(string)),
                "StartsWith" or "EndsWith" or "IndexOf" or "LastIndexOf" => parameters[0] == typeof(string),
                _ => false,
            };
        }

        if (owner == typeof(char)) return method.Name is "ToLower" or "ToUpper";
        if (owner == typeof(Convert)) return method.Name is not "ToBase64String" and not "FromBase64String" && parameters[0] is { } from && (from == typeof(string) || from == typeof(object) || method.Name == "ToString");
        if (owner == typeof(DefaultInterpolatedStringHandler)) return method.Name == "AppendFormatted" && IsOfCulture(parameters[0]);
        if (owner == typeof(StringBuilder))
            return method.Name == "AppendFormat" || (method.Name is "Append" or "Insert" && IsOfCulture(parameters[^1] is { Name: "Int32" } count && parameters.Length > 1 && count == typeof(int) ? parameters[^2] : parameters[^1]));
        if (method.Name is "Parse" or "TryParse") return IsNumber(owner);
        return method.Name == "ToString" && (IsNumber(owner) || (owner == typeof(object) && on is not null && IsOfCulture(on)));
    }

    private static bool IsObjects(Type type) => type == typeof(object) || type == typeof(object[]) || type == typeof(ReadOnlySpan<object>);

    private static bool IsOrder(Type owner, MethodBase method) =>
        (owner == typeof(Enumerable) && method.Name is "OrderBy" or "OrderByDescending" or "ThenBy" or "ThenByDescending" or "Order" or "OrderDescending" or "Min" or "Max")
        || (owner == typeof(Array) && method.Name is "Sort" or "BinarySearch")
        || (owner == typeof(List<>) && method.Name is "Sort" or "BinarySearch")
        || (owner == typeof(Comparer<>) && method.Name == "get_Default")
        || ((owner == typeof(SortedSet<>) || owner == typeof(SortedDictionary<,>) || owner == typeof(SortedList<,>)) && method.IsConstructor);

    private static Type[] Orders(MethodBase method)
    {
        if (method is { IsGenericMethod: true, DeclaringType: { } type } && type == typeof(Enumerable) && method.Name is "OrderBy" or "OrderByDescending" or "ThenBy" or "ThenByDescending")
            return [method.GetGenericArguments()[1]];
        return method.IsGenericMethod ? method.GetGenericArguments()[..1] : method.DeclaringType!.GetGenericArguments() is { Length: > 0 } arguments ? arguments[..1] : [];
    }

    /// <summary>Whether the text of a value may depend on the culture. Names of an enum's values do not.</summary>
    private static bool IsOfCulture(Type type) => type == typeof(object) || IsNumber(type) || type.IsGenericParameter;

    private static bool IsNumber(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        return type.IsValueType && type != typeof(char) && type != typeof(bool) && !type.IsEnum && typeof(IFormattable).IsAssignableFrom(type);
    }

    private static string Text(MethodBase method) => $"{method.DeclaringType!.Name}.{method.Name}({string.Join(", ", method.GetParameters().Select(parameter => parameter.ParameterType.Name))})";

    /// <summary>What a method calls, each with the type that the call is constrained to.</summary>
    private static List<(MethodBase Method, Type? On)> Calls(MethodBase method)
    {
        var calls = new List<(MethodBase, Type?)>();
        byte[] il = method.GetMethodBody()?.GetILAsByteArray() ?? [];
        Type[] ofType = method.DeclaringType!.GetGenericArguments(), ofMethod = method.IsGenericMethodDefinition ? method.GetGenericArguments() : [];
        Type? on = null;
        for (int at = 0; at < il.Length;)
        {
            int code = il[at++];
            var instruction = s_instructions[code == 0xFE ? 0xFE00 | il[at++] : code];
            int token = instruction.OperandType is OperandType.InlineMethod or OperandType.InlineType ? BitConverter.ToInt32(il, at) : 0;
            if (instruction == OpCodes.Constrained) on = method.Module.ResolveType(token, ofType, ofMethod);
            else
            {
                if (instruction.OperandType == OperandType.InlineMethod) calls.Add((method.Module.ResolveMethod(token, ofType, ofMethod)!, on));
                on = null;
            }

            at += instruction.OperandType switch
            {
                OperandType.InlineNone => 0,
                OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
                OperandType.InlineVar => 2,
                OperandType.InlineI8 or OperandType.InlineR => 8,
                OperandType.InlineSwitch => 4 + (4 * BitConverter.ToInt32(il, at)),
                _ => 4,
            };
        }

        return calls;
    }
}
